"""The ledger in SQL: verdicts of deadlines, heartbeats of jobs and watermarks of checks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import sqlalchemy as sa

from lupus_provider.stores.ledger import tables as t
from lupus_provider.stores.ledger.errors import NoSuchRecordError
from lupus_provider.stores.ledger.heartbeats import Heartbeat
from lupus_provider.stores.ledger.outbox import queue_messages
from lupus_provider.stores.ledger.rows import check_lengths, record_of, records_of, row_of
from lupus_provider.stores.ledger.verdicts import DeadlineVerdict, merge_verdicts
from lupus_provider.stores.sql import chunks, insert_new, lock_name, reading, upsert, writing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

    from lupus_provider.stores.ledger.base import Message

Key = tuple[str, "datetime"]


class SqlVerdicts:
    """Verdicts in SQL; see `stores.ledger.verdicts` for the laws."""

    engine: Engine

    def record_verdicts(
        self, verdicts: Collection[DeadlineVerdict], messages: Collection[Message], now: datetime
    ) -> int:
        """Record judgements and queue messages about them, all or nothing; return how many messages were new."""
        with writing(self.engine) as connection:
            known = _locked(connection, {v.deadline_id for v in verdicts}, {v.due_at for v in verdicts})
            merged: dict[Key, DeadlineVerdict] = {}
            for new in verdicts:
                key = new.deadline_id, new.due_at
                merged[key] = merge_verdicts(merged.get(key, known.get(key)), new)
            upsert(connection, t.verdict, [row_of(t.verdict, merged[key]) for key in sorted(merged)])
            return queue_messages(connection, messages, now)

    def verdicts(
        self,
        projects: Collection[str],
        since: datetime,
        until: datetime | None = None,
        deadline_ids: Collection[str] | None = None,
    ) -> Sequence[DeadlineVerdict]:
        """Return verdicts of due times from `since` to before `until`, by due time."""
        c = t.verdict.c
        where = [c.project.in_(projects), c.due_at >= since, *([] if until is None else [c.due_at < until])]
        parts = [[]] if deadline_ids is None else [[c.deadline_id.in_(p)] for p in chunks(sorted(set(deadline_ids)))]
        with reading(self.engine) as connection:
            rows = [row for part in parts for row in connection.execute(sa.select(t.verdict).where(*where, *part))]
        return records_of(DeadlineVerdict, sorted(rows, key=lambda row: (row.due_at, row.deadline_id)))

    def excuse(self, deadline_id: str, due_at: datetime, user: str, reason: str, now: datetime) -> DeadlineVerdict:
        """Excuse a due time; the newest excuse counts."""
        return self._excuse(deadline_id, due_at, excused_by=user, excused_at=now, excuse=reason)

    def lift_excuse(self, deadline_id: str, due_at: datetime) -> DeadlineVerdict:
        """Take an excuse back; the judge's verdict counts again."""
        return self._excuse(deadline_id, due_at, excused_by=None, excused_at=None, excuse="")

    def purge_verdicts(self, before: datetime) -> int:
        """Forget verdicts of due times before a moment; return how many."""
        with writing(self.engine) as connection:
            return connection.execute(sa.delete(t.verdict).where(t.verdict.c.due_at < before)).rowcount

    def _excuse(
        self, deadline_id: str, due_at: datetime, *, excused_by: str | None, excused_at: datetime | None, excuse: str
    ) -> DeadlineVerdict:
        values = {"excused_by": excused_by, "excused_at": excused_at, "excuse": excuse}
        check_lengths(t.verdict, values)
        c = t.verdict.c
        with writing(self.engine) as connection:
            stored = _locked(connection, {deadline_id}, {due_at}).get((deadline_id, due_at))
            if stored is None:
                raise NoSuchRecordError("verdict", f"{deadline_id} {due_at.isoformat()}")
            connection.execute(
                sa.update(t.verdict).where(c.deadline_id == deadline_id, c.due_at == due_at).values(values)
            )
        return replace(stored, excused_by=excused_by, excused_at=excused_at, excuse=excuse)


def _locked(
    connection: Connection, deadline_ids: Iterable[str], due_times: Collection[datetime]
) -> dict[Key, DeadlineVerdict]:
    """Return the verdicts of deadlines and due times, which nobody else changes until the transaction ends."""
    c = t.verdict.c
    ids = sorted(deadline_ids)
    for deadline_id in ids:
        lock_name(connection, "verdict", deadline_id)
    if not due_times:
        return {}
    found: dict[Key, DeadlineVerdict] = {}
    for part in chunks(ids):
        where = (c.deadline_id.in_(part), c.due_at >= min(due_times), c.due_at <= max(due_times))
        for row in connection.execute(sa.select(t.verdict).where(*where)):
            found[row.deadline_id, row.due_at] = record_of(DeadlineVerdict, row)
    return found


class SqlHeartbeats:
    """Heartbeats in SQL; see `stores.ledger.heartbeats` for the laws."""

    engine: Engine

    def record_heartbeats(self, heartbeats: Collection[Heartbeat]) -> int:
        """Record heartbeats, all or nothing; return how many were new."""
        rows = [row_of(t.heartbeat, heartbeat) for heartbeat in heartbeats]
        keys = [column.name for column in t.heartbeat.primary_key]
        with writing(self.engine) as connection:  # in one order, so that no two writers wait for each other
            ordered = sorted(rows, key=lambda row: [row[name] for name in keys])
            return sum(insert_new(connection, t.heartbeat, row) for row in ordered)

    def heartbeats(
        self, projects: Collection[str], since: datetime, until: datetime | None = None, job: str | None = None
    ) -> Sequence[Heartbeat]:
        """Return heartbeats from `since` to before `until`, oldest first."""
        c = t.heartbeat.c
        where = [c.project.in_(projects), c.at >= since]
        where += [c.at < until] if until is not None else []
        where += [c.job == job] if job is not None else []
        with reading(self.engine) as connection:
            found = records_of(Heartbeat, connection.execute(sa.select(t.heartbeat).where(*where)))
        return sorted(found, key=lambda one: (one.at, one.project, one.job, one.run_key, one.state))

    def purge_heartbeats(self, before: datetime) -> int:
        """Forget heartbeats before a moment; return how many."""
        with writing(self.engine) as connection:
            return connection.execute(sa.delete(t.heartbeat).where(t.heartbeat.c.at < before)).rowcount


class SqlWatermarks:
    """Watermarks in SQL; see `stores.ledger.watermarks` for the laws."""

    engine: Engine

    def checked_until(self, name: str) -> datetime | None:
        """Return the watermark of a name; None if it was never set."""
        with reading(self.engine) as connection:
            return connection.execute(sa.select(t.watermark.c.checked_until).where(t.watermark.c.name == name)).scalar()

    def move_checked_until(self, name: str, seen: datetime | None, until: datetime) -> bool:
        """Set a watermark that is still what was seen."""
        c = t.watermark.c
        row = {"name": name, "checked_until": until}
        check_lengths(t.watermark, row)
        with writing(self.engine) as connection:
            if seen is None:
                return insert_new(connection, t.watermark, row)
            where = (c.name == name, c.checked_until == seen)
            return connection.execute(sa.update(t.watermark).where(*where).values(checked_until=until)).rowcount > 0
