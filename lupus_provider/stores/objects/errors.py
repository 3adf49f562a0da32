"""What goes wrong with a storage of objects: what was wrong, where, what to do; in the style of `lupus_provider.errors`."""

from __future__ import annotations

from lupus_provider.errors import Terminal, Transient


class ConflictError(Transient):
    """Somebody else wrote a shared name since it was read; nothing was written."""

    def __init__(self, place: str) -> None:
        self.place = place
        super().__init__(f"{place} was changed by somebody else since it was read. Read it again and decide anew.")


class StorageRefusedError(Terminal):
    """An object storage will not do what it is asked for, however often."""

    def __init__(self, place: str, reason: str, hint: str) -> None:
        self.place, self.reason, self.hint = place, reason, hint
        super().__init__(f"{place}: {reason}. {hint}")


class StorageAwayError(Transient):
    """An object storage is away, too slow, or busy, after all retries of its client."""

    def __init__(self, place: str, reason: str) -> None:
        self.place, self.reason = place, reason
        super().__init__(
            f"{place} did not answer as it should: {reason}. Nothing is half-written. Try again when it is well."
        )


class StorageFullError(Transient, OSError):
    """No space is left where a store writes."""

    def __init__(self, place: str, number: int) -> None:
        self.place, self.number = place, number
        super().__init__()
        self.errno = number
        self.args = (  # OSError takes its text when it is made, not here
            f"No space left on device or quota for {place} (error {number}). Nothing is half-written. Make room there, then try again.",
        )
