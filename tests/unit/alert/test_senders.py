from __future__ import annotations

from pathlib import Path

import pytest

from lupus_provider.alert.channels import Channel
from lupus_provider.alert.senders import open_sender
from lupus_provider.errors import UnknownChannelError, UnknownNameError


@pytest.mark.parametrize(
    "channel",
    [Channel("log", "log"), Channel("f", "file", path=Path("x")), Channel("w", "webhook", url="http://x")],
    ids=lambda channel: channel.kind,
)
def test_every_kind_has_a_sender(channel):
    assert channel.kind in type(open_sender(channel)).__name__.lower()


@pytest.mark.parametrize("kind", ["file", "webhook"])
def test_a_channel_without_a_place_is_told_so(kind):
    with pytest.raises(UnknownChannelError, match="says no place"):
        open_sender(Channel("c", kind))


def test_an_unknown_kind_names_the_known():
    with pytest.raises(UnknownNameError, match="log"):
        open_sender(Channel("c", "pigeon"))  # type: ignore[arg-type]


def test_a_channel_does_not_show_its_secrets():
    shown = repr(Channel("c", "webhook", url="https://hooks/secret-path", token="hunter2"))
    assert "secret" not in shown
    assert "hunter2" not in shown
