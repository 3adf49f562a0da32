"""Errors of the ledger: what people change may have been changed by others meanwhile, and must not be lost silently."""

from __future__ import annotations

from lupus_provider.errors import Terminal


class DashboardMovedError(Terminal, ValueError):
    """A dashboard was changed by somebody else since it was read; nothing was recorded."""

    def __init__(self, dashboard_id: str, seen: int, stored: int) -> None:
        self.dashboard_id, self.seen, self.stored = dashboard_id, seen, stored
        super().__init__(
            f"dashboard {dashboard_id!r} is at version {stored}, and version {seen} was changed. "
            "Read it again, and put the change into what it has become."
        )


class NoSuchRecordError(Terminal, LookupError):
    """The ledger has no such record, or it was deleted."""

    def __init__(self, kind: str, key: str) -> None:
        self.kind, self.key = kind, key
        super().__init__(f"the ledger has no {kind} {key!r}. It may have been deleted; look at the list again.")


class RecordTooLongError(Terminal, ValueError):
    """A text is longer than the ledger keeps."""

    def __init__(self, field: str, length: int, most: int) -> None:
        self.field, self.length, self.most = field, length, most
        super().__init__(f"{field} has {length} characters, and the ledger keeps {most}. Shorten it.")


class LedgerTooNewError(Terminal):
    """The ledger's schema was made by a newer release of Lupus."""

    def __init__(self, found: str, known: str) -> None:
        self.found, self.known = found, known
        super().__init__(
            f"the ledger's schema is of migration {found}, and this release knows them up to {known}. "
            "Install the release of Lupus that the other processes run."
        )
