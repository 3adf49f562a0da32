"""The ledger in SQL, through SQLAlchemy; its schema moves by Alembic migrations when it is opened.

Writers hold locks that end with their transaction: in SQLite the write lock of the file, in Postgres one of the name of what they
decide about, so that many machines may write at once and still decide one after the other.
"""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from lupus_provider.errors import LedgerMovedError
from lupus_provider.stores.ledger import tables as t
from lupus_provider.stores.ledger.base import Episode, Message
from lupus_provider.stores.ledger.migrating import HEAD, migrate, migration_of
from lupus_provider.stores.ledger.outbox import queue_messages
from lupus_provider.stores.ledger.sql_dashboards import SqlDashboards
from lupus_provider.stores.ledger.sql_deadlines import SqlHeartbeats, SqlVerdicts, SqlWatermarks
from lupus_provider.stores.ledger.sql_mutes import SqlMutes
from lupus_provider.stores.ledger.sql_people import SqlAcknowledgements, SqlFavourites, SqlFeedback, SqlLinks
from lupus_provider.stores.sql import chunks, lock_name, open_engine, reading, upsert, writing

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.engine import Connection

_EPISODE = tuple(field.name for field in fields(Episode))
_PERIODS = ("first_period", "last_period", "worst_period")


def _micros(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


def _moment(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1_000_000, UTC)


class SqlLedger(
    SqlFeedback, SqlDashboards, SqlFavourites, SqlMutes, SqlAcknowledgements, SqlLinks, SqlVerdicts, SqlHeartbeats, SqlWatermarks
):  # fmt: skip
    """Ledger in a SQL database: episodes and the outbox here, every other theme in a class of its own.

    Parameters
    ----------
    url
        SQLAlchemy address.
    """

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url)
        with reading(self.engine) as connection:
            is_newest = migration_of(connection) == HEAD
        if not is_newest:  # asked first, so that opening the ledger does not wait for writers
            with writing(self.engine) as connection:
                migrate(connection)

    def episodes(self, project: str, metric_set: str, since: datetime) -> Sequence[Episode]:
        """Return episodes whose last period is at or after `since`, oldest first."""
        c = t.episode.c
        where = (c.project == project, c.metric_set == metric_set, c.last_period >= _micros(since))
        with reading(self.engine) as connection:
            rows = (
                connection.execute(sa.select(t.episode).where(*where).order_by(c.first_period, c.episode_id))
                .mappings()
                .all()
            )
        return [_episode(row) for row in rows]

    def record(
        self,
        episodes: Collection[Episode],
        removed: Collection[str],
        messages: Collection[Message],
        now: datetime,
        seen: Collection[Episode] | None = None,
    ) -> int:
        """Write episodes, drop removed ones, and queue messages, all or nothing; see the protocol."""
        rows = [_row(episode) for episode in sorted(episodes, key=lambda e: e.episode_id)]
        with writing(self.engine) as connection:
            for project, metric_set in sorted({(e.project, e.metric_set) for e in (*episodes, *(seen or ()))}):
                lock_name(connection, "episodes", project, metric_set)
            if seen is not None:
                touched = {e.episode_id for e in episodes} | set(removed) | {e.episode_id for e in seen}
                _check_unchanged(connection, touched, seen)
            upsert(connection, t.episode, rows)
            for part in chunks(sorted(removed)):
                connection.execute(sa.delete(t.episode).where(t.episode.c.episode_id.in_(part)))
            return queue_messages(connection, messages, now)

    def claim(self, channel: str, now: datetime, lease: timedelta, limit: int) -> Sequence[Message]:
        """Take messages that are due, for the time of the lease."""
        c = t.outbox.c
        due = sa.select(c.message_id).where(c.channel == channel, c.state == "pending", c.due_at <= _micros(now))
        with writing(self.engine) as connection:
            if connection.dialect.name == "postgresql":
                due = due.with_for_update(skip_locked=True)
            ids = connection.execute(due.order_by(c.created_at, c.message_id).limit(limit)).scalars().all()
            if not ids:
                return []
            values = {"due_at": _micros(now + lease), "attempts": c.attempts + 1}
            connection.execute(sa.update(t.outbox).where(c.message_id.in_(ids)).values(**values))
            rows = connection.execute(
                sa.select(t.outbox).where(c.message_id.in_(ids)).order_by(c.created_at, c.message_id)
            ).all()
        return [_message(row) for row in rows]

    def sent(self, message_id: str, now: datetime) -> None:
        """Mark a message as delivered."""
        self._update(message_id, state="sent", sent_at=_micros(now), error=None)

    def failed(self, message_id: str, error: str, retry_at: datetime | None) -> None:
        """Note a failed delivery; `retry_at` None: given up."""
        if retry_at is None:
            self._update(message_id, state="failed", error=error)
        else:
            self._update(message_id, due_at=_micros(retry_at), error=error)

    def messages(self, state: Literal["pending", "sent", "failed"] | None = None) -> Sequence[Message]:
        """Return messages of a state, oldest first; None: all."""
        c = t.outbox.c
        statement = sa.select(t.outbox).order_by(c.created_at, c.message_id)
        with reading(self.engine) as connection:
            rows = connection.execute(statement if state is None else statement.where(c.state == state)).all()
        return [_message(row) for row in rows]

    def _update(self, message_id: str, **values: Any) -> None:
        with writing(self.engine) as connection:
            connection.execute(sa.update(t.outbox).where(t.outbox.c.message_id == message_id).values(**values))


def _row(episode: Episode) -> dict[str, Any]:
    values = {name: getattr(episode, name) for name in _EPISODE}
    return {name: _micros(value) if name in _PERIODS else value for name, value in values.items()}


def _episode(row: Any) -> Episode:
    values = dict(row)
    return Episode(
        **{**values, **{name: _moment(values[name]) for name in _PERIODS}, "is_told": bool(values["is_told"])}
    )


def _message(row: Any) -> Message:
    return Message(row.message_id, row.channel, row.project, json.loads(row.body), row.attempts)


def _check_unchanged(connection: Connection, ids: Collection[str], seen: Collection[Episode]) -> None:
    """Raise LedgerMovedError if the stored episodes are not those that the caller has seen."""
    stored: dict[str, Episode] = {}
    for part in chunks(sorted(ids)):
        rows = connection.execute(sa.select(t.episode).where(t.episode.c.episode_id.in_(part))).mappings()
        stored.update({row["episode_id"]: _episode(row) for row in rows})
    known = {episode.episode_id: episode for episode in seen}
    changed = [i for i in ids if stored.get(i) != known.get(i)]
    if changed:
        raise LedgerMovedError(len(changed))
