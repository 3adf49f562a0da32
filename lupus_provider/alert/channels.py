"""A channel: where a project's messages go, with what is needed to get them there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Channel:
    """Where messages go: the log, a file of JSON lines, or a webhook that takes JSON by POST."""

    name: str
    kind: Literal["log", "file", "webhook"]
    path: Path | None = None
    """File of kind `file`."""
    url: str | None = field(default=None, repr=False)
    """Address of kind `webhook`; often a secret in itself, so never shown."""
    token: str | None = field(default=None, repr=False)
    """Bearer token of kind `webhook`."""
