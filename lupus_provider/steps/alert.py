"""alert: history → ledger → people. Merges anomalies into episodes, queues what is news, and sends what is due.

Episodes and messages are recorded in one transaction before anything is sent, so a crash neither loses nor needlessly repeats one.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lupus_provider.alert.channels import Channel
from lupus_provider.alert.episodes import SEVERITIES, Found, find_episodes, strangeness
from lupus_provider.alert.messages import compose, message_id
from lupus_provider.alert.senders import open_sender
from lupus_provider.errors import DeliveryError, DeliveryRefusedError
from lupus_provider.naming import series_name
from lupus_provider.periods import Span, last_complete, periods_in
from lupus_provider.records import ANOMALIES, EVALUATIONS, POINTS
from lupus_provider.steps.target import Target
from lupus_provider.stores.history.base import HistoryQuery, HistoryStore
from lupus_provider.stores.ledger.base import Episode, LedgerStore, Message

log = logging.getLogger(__name__)

CONTEXT = 60
"""Periods before the span in which an episode may have begun."""
LEASE = timedelta(minutes=5)
ATTEMPTS = 8
BATCH = 50


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
    """Messages that stay in the outbox, or were refused for good."""

    def as_xcom(self) -> dict[str, int | str]:
        """Return counts as plain JSON."""
        return asdict(self)


def alert(target: Target, history: HistoryStore, ledger: LedgerStore, channel: Channel, now: datetime) -> Alerted:
    """Record the episodes of the span, queue a message about what is news, and send what is due in the channel.

    Raises
    ------
    DeliveryError
        If a message could not be delivered; everything is recorded by then, and a retry sends only what is left.
    """
    span = Span(last_complete(target.span.start, target.metric_set.period, target.zone, CONTEXT).start, target.span.end)
    known = {e.episode_id: e for e in ledger.episodes(target.project.project, target.metric_set_name, span.start)}
    found = _found(target, history, span)
    ended = _ended(target, history, span, found)
    current = [_episode(target, f, ended, known.get(f.episode_id)) for f in found]
    names = _names(target, history, {e.series_id for e in current if not e.name})
    current = [e if e.name else replace(e, name=names.get(e.series_id, e.series_id)) for e in current]
    gone = [e for i, e in known.items() if i not in {c.episode_id for c in current} and e.first_period >= span.start]
    withdrawn = [replace(e, state="withdrawn") for e in gone if e.is_told]
    opened = sorted((e for e in current if not e.is_told), key=_order, reverse=True)
    over = sorted((e for e in current if e.is_told and e.state == "over" and known[e.episode_id].state == "open"), key=_order, reverse=True)
    messages = _messages(target, channel, opened, over)
    told = [replace(e, is_told=True) for e in current]
    ledger.record([*told, *withdrawn], [e.episode_id for e in gone if not e.is_told], messages, now)
    sent, undelivered = deliver(ledger, channel, now)
    done = Alerted(len(current), len(opened), len(over), len(withdrawn), sent, undelivered)
    log.info("alerted %s: %s", target, done)
    return done


def _order(episode: Episode) -> tuple[int, float]:
    return strangeness({"severity": episode.severity, "score": episode.score})


def _found(target: Target, history: HistoryStore, span: Span) -> list[Found]:
    """Episodes of what is loud enough to be told."""
    query = HistoryQuery(ANOMALIES, target.project.project, target.metric_set_name, span)
    quietest = SEVERITIES.index(str(target.project.alerts.severity))
    table = history.scan(query).read_all()
    loud = table.filter(pc.is_in(table["severity"], pa.array(SEVERITIES[quietest:])))
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
    normal = table.filter(pc.equal(table["outcome"], "normal")).group_by("series_id").aggregate([("period_start", "max")])
    return dict(zip(normal["series_id"].to_pylist(), normal["period_start_max"].to_pylist()))


def _episode(target: Target, found: Found, ended: Mapping[str, datetime], known: Episode | None) -> Episode:
    worst = found.worst
    is_over = found.series_id in ended and ended[found.series_id] > found.last_period
    return Episode(
        found.episode_id, target.project.project, target.metric_set_name, found.series_id, known.name if known else "",
        found.first_period, found.last_period, "over" if is_over else "open", worst["period_start"], worst["kind"], worst["severity"],
        worst["detector"], worst["value"], worst["expected"], worst["score"], is_told=known is not None and known.is_told,
    )  # fmt: skip


def _names(target: Target, history: HistoryStore, ids: set[str]) -> dict[str, str]:
    if not ids:
        return {}
    columns = ("series_id", "column_name", "metric", "entity", "group_key")
    span = Span(last_complete(target.span.start, target.metric_set.period, target.zone, CONTEXT).start, target.span.end)
    query = HistoryQuery(POINTS, target.project.project, target.metric_set_name, span, columns, sorted(ids))
    names: dict[str, str] = {}
    for batch in history.scan(query):
        ids_here = batch["series_id"].dictionary_encode().indices.to_numpy()
        first = np.unique(ids_here, return_index=True)[1]
        for row in batch.take(pa.array(first)).to_pylist():
            names[row["series_id"]] = series_name(row["column_name"], row["metric"], row["entity"], dict(row["group_key"]))
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


def deliver(ledger: LedgerStore, channel: Channel, now: datetime) -> tuple[int, int]:
    """Send what is due in a channel; return how many messages were sent and how many were not.

    Raises
    ------
    DeliveryError
        If messages stay in the outbox.
    """
    sender = open_sender(channel)
    sent, failures = 0, []
    for message in ledger.claim(channel.name, now, LEASE, BATCH):
        try:
            sender.send(message.message_id, message.body)
        except (DeliveryError, DeliveryRefusedError) as err:
            final = isinstance(err, DeliveryRefusedError) or message.attempts >= ATTEMPTS
            ledger.failed(message.message_id, str(err), None if final else now)
            log.warning("message %s: %s", message.message_id, err)
            failures.append(err)
            continue
        ledger.sent(message.message_id, now)
        sent += 1
    waiting = [err for err in failures if isinstance(err, DeliveryError)]
    if waiting:
        raise waiting[0]
    return sent, len(failures)
