"""Dashboards: pages of charts that people arrange, for one project or for all.

Laws (lupus_provider.testing.ledger_people): a change names the version that it was made to, and a change to any other version
records nothing (optimistic locking) · creating, changing or deleting twice equals once · what is deleted can be restored until it
is purged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page of charts."""

    dashboard_id: str
    """Given by whoever makes it, at most 32 characters, so that a repeated request makes no second one."""
    project: str | None
    """None: of all projects."""
    title: str
    body: Mapping[str, Any]
    """Plain JSON; the page decides what is in it."""
    owner: str
    created_by: str
    created_at: datetime
    updated_by: str
    updated_at: datetime
    version: int = 1
    """Counts the changes, from 1."""
    deleted_at: datetime | None = None


class DashboardLedger(Protocol):
    """Keeps dashboards."""

    def create_dashboard(self, dashboard: Dashboard) -> Dashboard:
        """Keep a new dashboard, as version 1.

        Raises
        ------
        DashboardMovedError
            If the id is taken by another one.
        """
        ...

    def update_dashboard(self, dashboard: Dashboard) -> Dashboard:
        """Change project, title, body and owner of the version that is given, and return the next one.

        Parameters
        ----------
        dashboard
            With the version that was read; `updated_by` and `updated_at` say who changes it, and when.

        Raises
        ------
        DashboardMovedError
            If it has another version by now; nothing is recorded then.
        NoSuchRecordError
            If there is none, or it was deleted.
        """
        ...

    def delete_dashboard(self, dashboard_id: str, version: int, user: str, now: datetime) -> None:
        """Hide a dashboard; raises as `update_dashboard`, unless it was deleted at that version already."""
        ...

    def restore_dashboard(self, dashboard_id: str, user: str, now: datetime) -> Dashboard:
        """Bring a deleted dashboard back as its next version; raises NoSuchRecordError if it was purged."""
        ...

    def dashboard(self, dashboard_id: str) -> Dashboard | None:
        """Return a dashboard; a deleted one, too, until it is purged."""
        ...

    def dashboards(self, projects: Collection[str], *, deleted: bool = False) -> Sequence[Dashboard]:
        """Return the dashboards of projects and those of all projects, by title; or the deleted ones."""
        ...

    def purge_dashboards(self, before: datetime) -> int:
        """Forget dashboards that were deleted before a moment; return how many."""
        ...
