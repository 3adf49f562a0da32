from __future__ import annotations

import asyncio
import gc
import json
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from lupus_provider import triggers
from lupus_provider.errors import CatalogAwayError, CatalogError
from lupus_provider.get_provider_info import get_provider_info
from lupus_provider.steps import publish_history as step
from lupus_provider.triggers import hive as module
from lupus_provider.triggers.hive import PublishHistoryTrigger

MADE_OF = {"history_conn_id": "lupus_history", "project": "shop", "metric_set": "orders", "kinds": ["points"]}


class Stores:
    """What a LupusHook has opened."""

    def __init__(self):
        self.history = SimpleNamespace(catalog=self)
        self.cancelled, self.closed = threading.Event(), 0

    def cancel(self):
        self.cancelled.set()

    def close(self):
        self.closed += 1


@pytest.fixture
def stores(monkeypatch):
    stores = Stores()
    monkeypatch.setattr(PublishHistoryTrigger, "_stores", lambda _: stores)
    return stores


@pytest.fixture
def publishing(monkeypatch):
    def publishing(call):
        monkeypatch.setattr(step, "publish_history", call)

    return publishing


async def first(trigger):
    async for event in trigger.run():
        return event.payload
    return None


def test_a_trigger_is_made_again_from_what_it_is_serialised_to():
    path, kwargs = PublishHistoryTrigger(**MADE_OF).serialize()
    assert path == "lupus_provider.triggers.hive.PublishHistoryTrigger"
    assert json.loads(json.dumps(kwargs)) == kwargs == MADE_OF
    assert PublishHistoryTrigger(**kwargs).serialize() == (path, kwargs)


def test_it_fires_when_the_catalogue_knows(stores, publishing):
    calls = []
    publishing(lambda *args: calls.append(args))
    assert asyncio.run(first(PublishHistoryTrigger(**MADE_OF))) == {"status": "success"}
    assert calls == [(stores.history, "shop", "orders", ["points"])]
    assert stores.closed == 1


@pytest.mark.parametrize(("error", "kind"), [(CatalogError, "terminal"), (CatalogAwayError, "transient")])
def test_it_says_whether_a_retry_may_help(stores, publishing, error, kind):
    def fail(*_):
        raise error("hive.lupus", "ALTER TABLE", "no")

    publishing(fail)
    event = asyncio.run(first(PublishHistoryTrigger(**MADE_OF)))
    assert event == {"status": "error", "kind": kind, "message": str(error("hive.lupus", "ALTER TABLE", "no"))}
    assert stores.closed == 1


def test_airflow_is_told_of_every_module_of_triggers():
    (listed,) = get_provider_info()["triggers"]
    here = Path(module.__file__).parent
    assert set(listed["python-modules"]) == {f"{triggers.__name__}.{p.stem}" for p in here.glob("[!_]*.py")}


async def killed_once(begun: threading.Event) -> None:
    """Run the trigger, and kill it as a triggerer does when its statement has begun."""
    task = asyncio.create_task(first(PublishHistoryTrigger(**MADE_OF)))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_what_a_cancelled_statement_says_is_no_loose_end(stores, publishing, caplog):
    begun = threading.Event()

    def wait(*_):
        begun.set()
        assert stores.cancelled.wait(10)
        raise CatalogAwayError("hive.lupus", "INSERT", "it was cancelled")

    publishing(wait)

    asyncio.run(killed_once(begun))
    gc.collect()
    assert "never retrieved" not in caplog.text


def test_a_killed_trigger_cancels_the_statement_and_waits_for_its_thread(stores, publishing):
    begun, ended = threading.Event(), []

    def wait(*_):
        begun.set()
        ended.append(stores.cancelled.wait(10))

    publishing(wait)

    asyncio.run(killed_once(begun))
    assert ended == [True]
    assert stores.closed == 1
