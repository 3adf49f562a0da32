"""reconcile: compares stage, history and index period by period, says what differs, and mends it where asked.

What could not be loaded waits on the stage, and nothing is lost by waiting: this finds it, however it came to be left
(tests/unit/steps/test_reconcile.py).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, get_args

from lupus_provider.steps.expire import first_kept
from lupus_provider.steps.gather import staged
from lupus_provider.steps.load_index import about_metric_set
from lupus_provider.steps.rebuild_index import INDEXED, kept, months

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from lupus_provider.records import RecordKind
    from lupus_provider.steps.target import Target
    from lupus_provider.stores.history.base import HistoryStore, Incoming
    from lupus_provider.stores.index.base import IndexStore
    from lupus_provider.stores.stage.base import StageStore

log = logging.getLogger(__name__)

Where = Literal["history", "index"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A period that a store does not hold as the store before it does."""

    metric_set: str
    kind: str
    period_start: datetime
    store: Where
    """Which store is behind."""
    problem: Literal["missing", "different", "damaged"]
    """`damaged`: the store says that it holds the content, and holds another."""

    def __str__(self) -> str:
        return f"{self.metric_set} {self.kind} {self.period_start:%Y-%m-%dT%H:%MZ}: {self.problem} in the {self.store}"


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a comparison came to."""

    periods: int
    """Periods that were compared, of all kinds."""
    differences: tuple[Difference, ...]


def reconcile(
    target: Target, stage: StageStore, history: HistoryStore, index: IndexStore, now: datetime, *, deep: bool = False
) -> Reconciled:
    """Compare the three stores over a span.

    The stage's content is the newest, the history must hold it, and the index what the history holds. A period that left the stage is
    judged by the history. A store that may have dropped a period for its age is not asked for it.

    Parameters
    ----------
    now
        Aware; ages are counted back from it.
    deep
        Read the history's records and hash them again, rather than believe its manifest.
    """
    differences: list[Difference] = []
    periods = 0
    for kind in INDEXED:
        compared: list[tuple[datetime, Difference | None]] = list(_compared(target, kind, stage, history, index, now))
        if deep:
            compared += _damaged(target, kind, history)
        periods += len({start for start, _ in compared})
        differences += [difference for _, difference in compared if difference is not None]
    for difference in differences:
        log.warning("%s", difference)
    return Reconciled(periods, tuple(differences))


def _compared(
    target: Target, kind: RecordKind, stage: StageStore, history: HistoryStore, index: IndexStore, now: datetime
) -> Iterator[tuple[datetime, Difference | None]]:
    project, name, span = target.project.project, target.metric_set_name, target.span
    on_stage = {file.period_start: file.digest for file in stage.files(kind, project, name, span)}
    in_history = {at: d for at, d in history.periods(kind, project, name).items() if span.start <= at < span.end}
    in_index = {at: d for at, d in index.periods(kind, project, name).items() if span.start <= at < span.end}
    first: dict[Where, datetime | None] = {
        where: first_kept(target.project, name, where, now) for where in get_args(Where)
    }
    for start in sorted({*on_stage, *in_history, *in_index}):
        newest = on_stage.get(start) or in_history.get(start)
        yield start, None
        stores: tuple[tuple[Where, Mapping[datetime, str]], ...] = (("history", in_history), ("index", in_index))
        for where, held in stores:
            expired = (begin := first[where]) is not None and start < begin
            if held.get(start) != newest and not expired:
                yield start, Difference(name, kind.name, start, where, "different" if start in held else "missing")


def _damaged(target: Target, kind: RecordKind, history: HistoryStore) -> Iterator[tuple[datetime, Difference]]:
    project, name, span = target.project.project, target.metric_set_name, target.span
    known = {at: d for at, d in history.periods(kind, project, name).items() if span.start <= at < span.end}
    for starts in months(known):
        for start in _unlike(history, kind, (project, name), starts, known):
            yield start, Difference(name, kind.name, start, "history", "damaged")


def _unlike(
    history: HistoryStore, kind: RecordKind, of: tuple[str, str], starts: list[datetime], known: Mapping[datetime, str]
) -> list[datetime]:
    """Return the periods whose records are not what the history says; where a file cannot be read, those in it."""
    try:
        found = {item.period_start: kind.digest(item.read()) for item in kept(history, kind, *of, starts)}
    except Exception:
        if len(starts) > 1:
            return [bad for start in starts for bad in _unlike(history, kind, of, [start], known)]
        log.exception("%s %s of %s/%s cannot be read", kind.name, starts[0], *of)
        return starts
    return [start for start in starts if found.get(start) != known[start]]


def mend(target: Target, found: Reconciled, stage: StageStore, history: HistoryStore, index: IndexStore) -> int:
    """Load what a comparison found to differ: from the stage into the history, and from the history into the index.

    Damaged periods are mended where the stage still has them; the next comparison says which are left.

    Returns
    -------
    int
        Loads of a period.
    """
    about = about_metric_set(target)
    project, name, mended = about.project, about.metric_set, 0
    for kind in INDEXED:
        wanted = {d.period_start for d in found.differences if d.kind == kind.name}
        if not wanted:
            continue
        waiting = partial(_only, staged(target, stage, kind), wanted)
        mended += history.load(kind, project, name, waiting, force=True).periods
        in_history = history.periods(kind, project, name)
        for starts in months({at: in_history[at] for at in wanted if at in in_history}):
            mended += index.load(kind, about, partial(kept, history, kind, project, name, starts), force=True).periods
    return mended


def _only(gather: Callable[[], Sequence[Incoming]], wanted: Collection[datetime]) -> list[Incoming]:
    return [item for item in gather() if item.period_start in wanted]
