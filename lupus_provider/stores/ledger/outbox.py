"""Queues messages in the transaction of what they tell, so that neither is there without the other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lupus_provider.stores.ledger import tables as t
from lupus_provider.stores.ledger.columns import Moment
from lupus_provider.stores.sql import insert_new

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from lupus_provider.stores.ledger.base import Message


def queue_messages(connection: Connection, messages: Collection[Message], now: datetime) -> int:
    """Put messages into the outbox that were never there; return how many.

    They go in one order, so that no two writers wait for each other.
    """
    return sum(_queue(connection, message, now) for message in sorted(messages, key=lambda m: m.message_id))


def _queue(connection: Connection, message: Message, now: datetime) -> bool:
    at = Moment().process_bind_param(now, connection.dialect)
    row = {
        "message_id": message.message_id, "channel": message.channel, "project": message.project,
        "body": json.dumps(message.body, sort_keys=True), "state": "pending", "attempts": 0, "created_at": at, "due_at": at,
    }  # fmt: skip
    return insert_new(connection, t.outbox, row)
