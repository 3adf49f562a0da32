"""The ledger in SQL: dashboards, changed by those only who have seen the newest version."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from lupus_provider.stores.ledger import tables as t
from lupus_provider.stores.ledger.dashboards import Dashboard
from lupus_provider.stores.ledger.errors import DashboardMovedError, NoSuchRecordError
from lupus_provider.stores.ledger.rows import record_of, records_of, row_of
from lupus_provider.stores.sql import insert_new, reading, writing

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

_CHANGED = ("project", "title", "body", "owner", "updated_by", "updated_at")
_SAME = ("project", "title", "body", "owner", "updated_by")


class SqlDashboards:
    """Dashboards in SQL; see `stores.ledger.dashboards` for the laws."""

    engine: Engine

    def create_dashboard(self, dashboard: Dashboard) -> Dashboard:
        """Keep a new dashboard, as version 1; see the protocol."""
        new = replace(dashboard, version=1, deleted_at=None)
        with writing(self.engine) as connection:
            if insert_new(connection, t.dashboard, row_of(t.dashboard, new)):
                return new
            stored = _stored(connection, dashboard.dashboard_id)
        if stored.version != 1 or stored.deleted_at is not None or not _is_same(stored, new):
            raise DashboardMovedError(dashboard.dashboard_id, 0, stored.version)
        return stored

    def update_dashboard(self, dashboard: Dashboard) -> Dashboard:
        """Change the version that is given, and return the next one; see the protocol."""
        row = row_of(t.dashboard, dashboard)
        seen = dashboard.version
        with writing(self.engine) as connection:
            done = _change(connection, dashboard.dashboard_id, seen, **{name: row[name] for name in _CHANGED})
            stored = _stored(connection, dashboard.dashboard_id)
        if stored.deleted_at is not None:
            raise NoSuchRecordError("dashboard", dashboard.dashboard_id)
        if not done and not (stored.version == seen + 1 and _is_same(stored, dashboard)):
            raise DashboardMovedError(dashboard.dashboard_id, seen, stored.version)
        return stored

    def delete_dashboard(self, dashboard_id: str, version: int, user: str, now: datetime) -> None:
        """Hide a dashboard; see the protocol."""
        with writing(self.engine) as connection:
            done = _change(connection, dashboard_id, version, deleted_at=now, updated_by=user, updated_at=now)
            stored = _stored(connection, dashboard_id)
        if not done and not (stored.deleted_at is not None and stored.version == version + 1):
            raise DashboardMovedError(dashboard_id, version, stored.version)

    def restore_dashboard(self, dashboard_id: str, user: str, now: datetime) -> Dashboard:
        """Bring a deleted dashboard back as its next version; see the protocol."""
        c = t.dashboard.c
        values = {"deleted_at": None, "version": c.version + 1, "updated_by": user, "updated_at": now}
        with writing(self.engine) as connection:
            connection.execute(
                sa.update(t.dashboard).where(c.dashboard_id == dashboard_id, c.deleted_at.is_not(None)).values(**values)
            )
            return _stored(connection, dashboard_id)

    def dashboard(self, dashboard_id: str) -> Dashboard | None:
        """Return a dashboard; a deleted one, too, until it is purged."""
        with reading(self.engine) as connection:
            row = connection.execute(sa.select(t.dashboard).where(t.dashboard.c.dashboard_id == dashboard_id)).first()
        return None if row is None else record_of(Dashboard, row)

    def dashboards(self, projects: Collection[str], *, deleted: bool = False) -> Sequence[Dashboard]:
        """Return the dashboards of projects and those of all projects, by title; or the deleted ones."""
        c = t.dashboard.c
        mine = sa.or_(c.project.is_(None), c.project.in_(projects))
        state = c.deleted_at.is_not(None) if deleted else c.deleted_at.is_(None)
        with reading(self.engine) as connection:
            found = records_of(Dashboard, connection.execute(sa.select(t.dashboard).where(mine, state)))
        return sorted(found, key=lambda dashboard: (dashboard.title.casefold(), dashboard.dashboard_id))

    def purge_dashboards(self, before: datetime) -> int:
        """Forget dashboards that were deleted before a moment; return how many."""
        with writing(self.engine) as connection:
            return connection.execute(sa.delete(t.dashboard).where(t.dashboard.c.deleted_at < before)).rowcount


def _change(connection: Connection, dashboard_id: str, seen: int, **values: Any) -> bool:
    """Change a dashboard that is still at the version that was seen, in one statement; return whether it was."""
    c = t.dashboard.c
    where = (c.dashboard_id == dashboard_id, c.version == seen, c.deleted_at.is_(None))
    return connection.execute(sa.update(t.dashboard).where(*where).values(**values, version=seen + 1)).rowcount > 0


def _stored(connection: Connection, dashboard_id: str) -> Dashboard:
    row = connection.execute(sa.select(t.dashboard).where(t.dashboard.c.dashboard_id == dashboard_id)).first()
    if row is None:
        raise NoSuchRecordError("dashboard", dashboard_id)
    return record_of(Dashboard, row)


def _is_same(one: Dashboard, other: Dashboard) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in _SAME)
