from __future__ import annotations

import json
from pathlib import Path

import pytest
from airflow.sdk import BaseHook, Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from lupus_provider.errors import UnknownChannelError
from lupus_provider.hooks.channels import open_channel, webhook_url


def http(**fields) -> Connection:
    return Connection(conn_id="team", **{"conn_type": "http", **fields})


def test_the_built_in_channels_need_no_connection(monkeypatch):
    monkeypatch.setenv("AIRFLOW__LUPUS__HOME", "/var/lupus")
    assert open_channel("log").kind == "log"
    assert open_channel("file").path == Path("/var/lupus/alerts.jsonl")


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"host": "chat.example", "extra": json.dumps({"path": "/hooks/x"})}, "https://chat.example/hooks/x"),
        ({"host": "chat.example", "schema": "http", "port": 81}, "http://chat.example:81"),
        ({"host": "https://chat.example/", "extra": json.dumps({"endpoint": "a/b"})}, "https://chat.example/a/b"),
    ],
)
def test_an_http_connection_is_a_webhook(fields, url):
    assert webhook_url(http(**fields)) == url


def test_address_and_token_are_never_shown(monkeypatch):
    monkeypatch.setattr(BaseHook, "get_connection", staticmethod(lambda _: http(host="chat.example", password="t0ken")))
    channel = open_channel("team")
    assert (channel.kind, channel.token) == ("webhook", "t0ken")
    assert "t0ken" not in repr(channel)
    assert "chat.example" not in repr(channel)


@pytest.mark.parametrize("fields", [{"host": ""}, {"conn_type": "postgres", "host": "db"}])
def test_a_connection_that_is_no_webhook_is_refused(fields):
    with pytest.raises(UnknownChannelError, match="team"):
        webhook_url(http(**fields))


def test_an_unknown_channel_is_refused_with_what_is_possible(monkeypatch):
    def missing(conn_id: str) -> None:
        raise AirflowNotFoundException(conn_id)

    monkeypatch.setattr(BaseHook, "get_connection", staticmethod(missing))
    with pytest.raises(UnknownChannelError, match=r"'slak' is not known.*'log', 'file'"):
        open_channel("slak")
