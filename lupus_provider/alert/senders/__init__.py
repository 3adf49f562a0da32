"""The shelf of senders: one file a kind of channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lupus_provider.errors import UnknownChannelError, UnknownNameError

if TYPE_CHECKING:
    from lupus_provider.alert.channels import Channel
    from lupus_provider.alert.senders.base import Sender

KINDS = ("file", "log", "webhook")


def open_sender(channel: Channel) -> Sender:
    """Return the sender of a channel.

    Raises
    ------
    UnknownNameError
        If no sender is of that kind.
    UnknownChannelError
        If the channel lacks what its kind needs.
    """
    if channel.kind == "log":
        from lupus_provider.alert.senders.log import LogSender

        return LogSender(channel.name)
    if channel.kind == "file" and channel.path is not None:
        from lupus_provider.alert.senders.file import FileSender

        return FileSender(channel.path)
    if channel.kind == "webhook" and channel.url is not None:
        from lupus_provider.alert.senders.webhook import WebhookSender

        return WebhookSender(channel.name, channel.url, channel.token)
    if channel.kind in KINDS:
        raise UnknownChannelError(channel.name, f"is of kind {channel.kind!r} and says no place")
    raise UnknownNameError("sender", channel.kind, KINDS)
