"""alert: history → ledger → people. Merges anomalies into episodes, queues what is news, and sends what is due.

Episodes and messages are recorded in one transaction before anything is sent, so a crash neither loses nor needlessly repeats one.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lupus_provider.alert.episodes import SEVERITIES, Found, find_episodes, strangeness
from lupus_provider.alert.messages import compose, message_id
from lupus_provider.errors import DetectorsFailedError, LedgerMovedError
from lupus_provider.naming import series_name
from lupus_provider.periods import Span, last_complete, period_at, periods_in
from lupus_provider.records import ANOMALIES, EVALUATIONS, POINTS
from lupus_provider.steps.deliver import PATIENCE, deliver
from lupus_provider.steps.matching import Match, match
from lupus_provider.stores.history.base import HistoryQuery, HistoryStore
from lupus_provider.stores.ledger.base import Episode, LedgerStore, Message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from lupus_provider.alert.channels import Channel
    from lupus_provider.steps.target import Target

log = logging.getLogger(__name__)

CONTEXT = 60
"""Periods before and after the span that are looked at, because an episode of the span may reach into them."""
RETHINKS = 5
"""Times that a step decides anew because another try was quicker."""


@dataclass(frozen=True, slots=True)
class Alerted:
    """What an alert step came to."""

    episodes: int
    """Episodes in the span."""
    opened: int
    """Of them, those that are news."""
    over: int
    """Told episodes that ended."""
    withdrawn: int
    """Told episodes that are not strange after all."""
    sent: int
    undelivered: int
    """Messages that were given up."""

    def as_xcom(self) -> dict[str, int | str]:
        """Return counts as plain JSON."""
        return asdict(self)


def alert(
    target: Target,
    history: HistoryStore,
    ledger: LedgerStore,
    channel: Channel,
    now: datetime,
    patience: timedelta = PATIENCE,
) -> Alerted:
    """Record the episodes of the span, queue a message about what is news, and send what is due in the channel.

    Parameters
    ----------
    now
        Aware.
    patience
        How long to wait for messages of this metric set that another sender has claimed.

    Raises
    ------
    DeliveryError
        If a message could not be delivered; everything is recorded by then, and a retry sends only what is left.
    DeliveryRefusedError
        If the receiver will never take a message.
    LedgerMovedError
        If other tries of the same task kept changing the ledger.
    DetectorsFailedError
        If detectors broke: everything else is recorded and told by then, but the run must not look healthy.
    """
    news = _recorded(target, history, ledger, channel, now)
    sent, undelivered = deliver(ledger, channel, now, partial(_is_of, target), patience)
    done = replace(news, sent=sent, undelivered=undelivered)
    log.info("alerted %s: %s", target, done)
    broken = _broken_detectors(target, history)
    if broken:
        raise DetectorsFailedError(str(target), broken)
    return done


def _broken_detectors(target: Target, history: HistoryStore) -> dict[str, int]:
    """Return the detectors that broke over the span, with how many series they should have judged."""
    columns = ("series_id", "detector", "outcome")
    query = HistoryQuery(EVALUATIONS, target.project.project, target.metric_set_name, target.span, columns)
    failed = history.scan(query).read_all().filter(pc.field("outcome") == "failed")
    counted = failed.group_by("detector").aggregate([("series_id", "count_distinct")])
    return dict(sorted(zip(counted["detector"].to_pylist(), counted["series_id_count_distinct"].to_pylist())))


def _recorded(target: Target, history: HistoryStore, ledger: LedgerStore, channel: Channel, now: datetime) -> Alerted:
    for _ in range(RETHINKS):
        with suppress(LedgerMovedError):
            return record_news(target, history, ledger, channel, now)
    return record_news(target, history, ledger, channel, now)


def _is_of(target: Target, message: Message) -> bool:
    return message.project == target.project.project and message.body.get("metric_set") == target.metric_set_name


def record_news(target: Target, history: HistoryStore, ledger: LedgerStore, channel: Channel, now: datetime) -> Alerted:
    """Record the span's episodes and queue what is news of them, all or nothing.

    Raises
    ------
    LedgerMovedError
        If another try recorded something in between: what is news must be decided anew.
    """
    window = _window(target)
    stored = ledger.episodes(target.project.project, target.metric_set_name, window.start)
    known = [e for e in stored if e.first_period < target.span.end]
    found = [f for f in _found(target, history, window) if f.first_period < target.span.end]
    matches = match(found, known, window)
    ended = _ended(target, history, window, found)
    names = _names(target, history, window, {m.found.series_id for m in matches if m.known is None})
    current = {m.episode_id: _episode(target, m, ended, names) for m in matches}
    gone = [e for e in known if e.episode_id not in current and e.first_period >= window.start]
    withdrawn = [replace(e, state="withdrawn") for e in gone if e.is_told and e.state != "withdrawn"]
    opened = sorted((e for e in current.values() if not e.is_told), key=_order, reverse=True)
    was_open = {m.episode_id for m in matches if m.known is not None and m.known.is_told and m.known.state == "open"}
    over = sorted((e for i, e in current.items() if e.state == "over" and i in was_open), key=_order, reverse=True)
    messages = _messages(target, channel, opened, over)
    written = [replace(e, is_told=True) for e in current.values()] + withdrawn
    ledger.record(written, [e.episode_id for e in gone if not e.is_told], messages, now, seen=known)
    return Alerted(len(current), len(opened), len(over), len(withdrawn), 0, 0)


def _window(target: Target) -> Span:
    """Return the span and the periods around it, over which its episodes may reach."""
    period, zone = target.metric_set.period, target.zone
    end = target.span.end
    for _ in range(CONTEXT):
        end = period_at(end, period, zone).end
    return Span(last_complete(target.span.start, period, zone, CONTEXT).start, end)


def _order(episode: Episode) -> tuple[int, float]:
    return strangeness({"severity": episode.severity, "score": episode.score})


def _found(target: Target, history: HistoryStore, span: Span) -> list[Found]:
    """Episodes of what is loud enough to be told."""
    query = HistoryQuery(ANOMALIES, target.project.project, target.metric_set_name, span)
    quietest = SEVERITIES.index(str(target.project.alerts.severity))
    table = history.scan(query).read_all()
    loud = table.filter(pc.field("severity").isin(pa.array(SEVERITIES[quietest:])))
    axis = [p.start for p in periods_in(span, target.metric_set.period, target.zone)]
    return find_episodes(loud.to_pylist(), axis)


def _ended(target: Target, history: HistoryStore, span: Span, found: Sequence[Found]) -> Mapping[str, datetime]:
    """Series → newest period that was judged normal by every detector with something to say, of the series with episodes."""
    ids = sorted({f.series_id for f in found})
    if not ids:
        return {}
    columns = ("series_id", "period_start", "outcome")
    query = HistoryQuery(EVALUATIONS, target.project.project, target.metric_set_name, span, columns, ids)
    table = history.scan(query).read_all()
    normal = table.filter(pc.field("outcome") == "normal").group_by("series_id").aggregate([("period_start", "max")])
    return dict(zip(normal["series_id"].to_pylist(), normal["period_start_max"].to_pylist()))


def _episode(target: Target, match: Match, ended: Mapping[str, datetime], names: Mapping[str, str]) -> Episode:
    found, worst = match.found, match.found.worst
    is_over = found.series_id in ended and ended[found.series_id] > match.last_period
    return Episode(
        match.episode_id, target.project.project, target.metric_set_name, found.series_id,
        match.known.name if match.known else names.get(found.series_id, found.series_id),
        match.first_period, match.last_period, "over" if is_over else "open", worst["period_start"], worst["kind"], worst["severity"],
        worst["detector"], worst["value"], worst["expected"], worst["score"], is_told=match.is_told,
    )  # fmt: skip


def _names(target: Target, history: HistoryStore, span: Span, ids: set[str]) -> dict[str, str]:
    if not ids:
        return {}
    columns = ("series_id", "column_name", "metric", "entity", "group_key")
    query = HistoryQuery(POINTS, target.project.project, target.metric_set_name, span, columns, sorted(ids))
    names: dict[str, str] = {}
    for batch in history.scan(query):
        ids_here = batch["series_id"].dictionary_encode().indices.to_numpy()
        first = np.unique(ids_here, return_index=True)[1]
        for row in batch.take(pa.array(first)).to_pylist():
            names[row["series_id"]] = series_name(
                row["column_name"], row["metric"], row["entity"], dict(row["group_key"])
            )
    return names


def _messages(target: Target, channel: Channel, opened: Sequence[Episode], over: Sequence[Episode]) -> list[Message]:
    if not opened and not over:
        return []
    project = target.project
    news = [(e.episode_id, "opened") for e in opened] + [(e.episode_id, "over") for e in over]
    body = compose(
        project=project.project, metric_set=target.metric_set_name, owner=project.owner, period=target.metric_set.period,
        zone=target.zone, opened=opened, over=over,
    )  # fmt: skip
    return [Message(message_id(channel.name, news), channel.name, project.project, body)]
