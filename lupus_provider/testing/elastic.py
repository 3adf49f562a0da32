"""An index in Elasticsearch under test: emptied between tests, loaded by processes that die at a chosen request.

Making its indices anew costs seconds, deleting what is in them milliseconds.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from lupus_provider.records import ANOMALIES, EVALUATIONS, POINTS
from lupus_provider.stores.index.base import MetricSetInfo
from lupus_provider.stores.index.elastic import ElasticAccess, ElasticIndex
from lupus_provider.stores.index.elastic.names import ROOMS, Names
from lupus_provider.testing.builders import (
    METRIC_SET,
    PROJECT,
    a_point,
    a_table,
    an_anomaly,
    an_evaluation,
    day,
    incoming,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lupus_provider.stores.history.base import Incoming
    from lupus_provider.stores.index.base import IndexStore

ABOUT = MetricSetInfo(PROJECT, METRIC_SET, "day", "UTC")
ENTITIES = ("a", "b", "c")
PERIODS = (30, 31, 32)
"""Days that a version fills: they lie in two months."""


def wipe(index: ElasticIndex) -> None:
    """Delete every document of an index, locks included; nobody may be loading."""
    client, names = index.door.client, Names(index.door.place.prefix)
    every = ",".join(names[room] for room in ROOMS)
    client.indices.refresh(index=every)
    client.delete_by_query(index=every, query={"match_all": {}}, refresh=True, conflicts="proceed")


def drop_all(index: ElasticIndex) -> None:
    """Delete all indices of an index."""
    client = index.door.client
    for name in client.indices.get(index=f"{index.door.place.prefix}-*", allow_no_indices=True):
        client.indices.delete(index=name, ignore_unavailable=True)


def series_of(version: int) -> list[str]:
    """Return the series of a version: one of the three comes and goes."""
    return [a_point(entity=entity)["series_id"] for entity in ENTITIES[: 2 + version % 2]]


def version_of(kind: Any, version: int) -> list[Incoming]:
    """Return the periods of one version of the content: every value in it is the version's number."""
    found = []
    for n in PERIODS:
        at, value = day(n), float(version)
        if kind is POINTS:
            rows = [a_point(value, at, entity=entity) for entity in ENTITIES[: 2 + version % 2]]
        elif kind is ANOMALIES:
            rows = [an_anomaly(value, at, series_id=sid) for sid in series_of(version)]
        else:
            rows = [an_evaluation("normal", at, series_id=sid, expected=value) for sid in series_of(version)]
        found.append(incoming(at, a_table(kind, rows), kind))
    return found


def load_version(index: IndexStore, version: int) -> None:
    """Load a version of points, evaluations and anomalies."""
    for kind in (POINTS, EVALUATIONS, ANOMALIES):
        index.load(kind, ABOUT, lambda kind=kind: version_of(kind, version))


def load_and_die(url: str, access: ElasticAccess, version: int, at: int) -> None:
    """Load a version in a process that is killed when it is about to send its `at`-th request to the server."""
    from elastic_transport import Transport

    perform, seen = Transport.perform_request, 0

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return perform(self, *args, **kwargs)

    index = ElasticIndex(url, access)
    with patch.object(Transport, "perform_request", counted):
        load_version(index, version)


def load_many_versions(url: str, access: ElasticAccess, versions: Sequence[int]) -> None:
    """Load versions one after another; somebody kills this process meanwhile."""
    index = ElasticIndex(url, access)
    for version in versions:
        load_version(index, version)


__all__ = [
    "ABOUT",
    "PERIODS",
    "drop_all",
    "load_and_die",
    "load_many_versions",
    "load_version",
    "series_of",
    "version_of",
    "wipe",
]
