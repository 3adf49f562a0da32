"""What goes wrong with an Elasticsearch, in words that say what to do; no secret of an access is ever in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lupus_provider.errors import Terminal, Transient

if TYPE_CHECKING:
    from collections.abc import Mapping


class ElasticUnavailableError(Transient):
    """Elasticsearch did not answer, or was too busy to, for as long as we were patient."""

    def __init__(self, place: str, seconds: float, reason: str) -> None:
        self.place, self.seconds, self.reason = place, seconds, reason
        super().__init__(
            f"index {place} did not answer within {seconds:.0f} s: {reason}. What is visible there is whole; the next load goes on. "
            "Check that the server runs and has memory and disk to spare."
        )


class ElasticRefusedError(Terminal):
    """Elasticsearch will not do what it was asked."""

    def __init__(self, place: str, status: int, reason: str) -> None:
        self.place, self.status, self.reason = place, status, reason
        hint = {
            401: "Check login, password or API key.",
            403: "Give this login the right to read, write and manage these indices.",
        }
        super().__init__(
            f"index {place} refused with status {status}: {reason}. "
            + hint.get(status, "If its indices were made by somebody else, give another prefix or rebuild the index.")
        )


class ElasticUntrustedError(Terminal):
    """The certificate of an Elasticsearch cannot be trusted, or what it is to be checked against cannot be read."""

    def __init__(self, place: str, reason: str) -> None:
        self.place, self.reason = place, reason
        super().__init__(
            f"index {place} cannot be trusted: {reason}. Give `ca_certs`, the file of the certificate authority that signed the server's "
            "certificate, and name the server as the certificate does."
        )


class DocumentsRefusedError(Terminal):
    """Documents of single series that the index cannot hold; all others are loaded."""

    shown = 5

    def __init__(self, place: str, refused: Mapping[str, str]) -> None:
        self.place, self.refused = place, dict(refused)
        named = "; ".join(f"{name}: {reason}" for name, reason in list(self.refused.items())[: self.shown])
        more = f"; … and {len(self.refused) - self.shown} more" if len(self.refused) > self.shown else ""
        super().__init__(
            f"index {place} refused {len(self.refused)} documents: {named}{more}. Everything else is loaded, and these are in the history. "
            "Their periods count as not loaded; mend what is said of them, then load again."
        )
