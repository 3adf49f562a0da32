"""Episodes → messages: one message a run and channel, strangest first, in plain words.

Two hundred series that break on one day are one thing to read, so a run tells all its news at once.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from lupus_provider.alert.text import number, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

LINES = 12
"""Episodes that a message names; the rest is a number."""
LISTED = 100
"""Episodes that it lists for programs."""


@cache
def _templates() -> Environment:
    environment = Environment(  # noqa: S701  (plain text: chat systems that need escaping do it in their sender)
        loader=PackageLoader("lupus_provider.alert"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["number"] = number
    return environment


def message_id(channel: str, news: Sequence[tuple[str, str]]) -> str:
    """Identity of a message: its channel, and which episodes it says what of, in any order."""
    text = "\n".join([channel, *(f"{episode_id} {event}" for episode_id, event in sorted(news))])
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def compose(
    *,
    project: str,
    metric_set: str,
    owner: str | None,
    period: str,
    zone: ZoneInfo,
    opened: Sequence[Any],
    over: Sequence[Any],
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
    head = {"project": project, "metric_set": metric_set, "owner": None if owner is None else one_line(owner)}
    view = {
        **head,
        "opened": facts[:LINES],
        "n_opened": len(facts),
        "over": [_facts(episode, period, zone) for episode in over[:LINES]],
        "n_over": len(over),
    }
    title = _templates().get_template("title.j2").render(view).strip()
    text = _templates().get_template("text.j2").render(view).strip()
    counts = {"n_opened": len(facts), "n_over": len(over)}
    return {"title": title, "text": text, **head, **counts, "episodes": facts[:LISTED]}


def _facts(episode: Any, period: str, zone: ZoneInfo) -> dict[str, Any]:
    form = "%Y-%m-%d %H:%M %Z" if period == "hour" else "%Y-%m-%d"
    return {
        "episode_id": episode.episode_id,
        "series_id": episode.series_id,
        "name": one_line(episode.name),
        "kind": one_line(episode.kind),
        "severity": episode.severity,
        "detector": one_line(episode.detector),
        "state": episode.state,
        "first": _local(episode.first_period, zone, form),
        "last": _local(episode.last_period, zone, form),
        "worst": _local(episode.worst_period, zone, form),
        "value": episode.value,
        "expected": episode.expected,
        "score": episode.score,
    }


def _local(moment: datetime, zone: ZoneInfo, form: str) -> str:
    return moment.astimezone(zone).strftime(form)
