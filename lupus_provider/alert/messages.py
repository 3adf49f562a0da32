"""Episodes → messages: one message a run and channel, strangest first, in plain words.

Two hundred series that break on one day are one thing to read, so a run tells all its news at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined

LINES = 12
"""Episodes that a message names; the rest is a number."""


@cache
def _templates() -> Environment:
    return Environment(  # noqa: S701  (plain text: chat systems that need escaping do it in their sender)
        loader=PackageLoader("lupus_provider.alert"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False
    )


def message_id(channel: str, news: Sequence[tuple[str, str]]) -> str:
    """Identity of a message: its channel, and which episodes it says what of."""
    text = "\n".join([channel, *(f"{episode_id} {event}" for episode_id, event in sorted(news))])
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def compose(
    *, project: str, metric_set: str, owner: str | None, period: str, zone: ZoneInfo, opened: Sequence[Any], over: Sequence[Any]
) -> dict[str, Any]:
    """Return the body of a message.

    Parameters
    ----------
    opened, over
        Episodes of the ledger, strangest first: those that are news, and those told earlier that have ended.

    Returns
    -------
    dict
        Plain JSON: `title`, `text`, and `episodes` for programs.
    """
    facts = [_facts(episode, period, zone) for episode in opened]
    view = {
        "project": project, "metric_set": metric_set, "owner": owner, "opened": facts[:LINES], "n_opened": len(facts),
        "over": [_facts(episode, period, zone) for episode in over][:LINES], "n_over": len(over),
    }  # fmt: skip
    title = _templates().get_template("title.j2").render(view).strip()
    text = _templates().get_template("text.j2").render(view).strip()
    return {"title": title, "text": text, "project": project, "metric_set": metric_set, "owner": owner, "episodes": facts[:100], "n_over": len(over)}


def _facts(episode: Any, period: str, zone: ZoneInfo) -> dict[str, Any]:
    form = "%Y-%m-%d %H:%M %Z" if period == "hour" else "%Y-%m-%d"
    return {
        "episode_id": episode.episode_id, "series_id": episode.series_id, "name": episode.name, "kind": episode.kind,
        "severity": episode.severity, "detector": episode.detector, "state": episode.state,
        "first": _local(episode.first_period, zone, form), "last": _local(episode.last_period, zone, form),
        "worst": _local(episode.worst_period, zone, form),
        "value": _number(episode.value), "expected": _number(episode.expected), "score": episode.score,
    }  # fmt: skip


def _local(moment: datetime, zone: ZoneInfo, form: str) -> str:
    return moment.astimezone(zone).strftime(form)


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.4g}"
