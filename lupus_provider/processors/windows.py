"""References that move with time: the last periods, or the previous version of the model, from stored histograms.

Both take the bins of what is stored, whatever they were made from, so that two runs compare by the same bins.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

from lupus_provider.errors import BadPlanError
from lupus_provider.metrics.bins import Bins, same_bins
from lupus_provider.processors.histograms import STATE, ColumnKey, Histograms, from_rows, joined
from lupus_provider.processors.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa

    from lupus_provider.metrics.base import Floats
    from lupus_provider.metrics.bins import CountedBins
    from lupus_provider.processors.edges import Recorder

Kind = Literal["moving_window", "previous_version"]


@dataclass(frozen=True, slots=True)
class MovingWindow:
    """Compare each period with the last `periods` periods before it that have values of the column.

    The first period of all has no reference: its drift is undefined (null, with the rows it stands on), not an error. Later ones are
    compared with as many periods as there are. Gradual drift that is slower than the window is not seen: use a fixed reference for it.

    Attributes
    ----------
    histograms
        Schema `records.HISTOGRAMS`, what earlier calls said by `DriftProcessor.histograms()`; None: there is nothing yet. Periods that the
        call measures itself are taken from the call.
    """

    periods: int = 28
    histograms: pa.Table | None = None
    kind: Kind = "moving_window"

    def __post_init__(self) -> None:
        if self.periods < 1:
            raise BadPlanError("reference", f"takes {self.periods} periods", "Give 1 or more.")


@dataclass(frozen=True, slots=True)
class PreviousVersion(MovingWindow):
    """Compare each version of the model with the one that appeared before it, in the same group.

    Versions are ordered by the first period that has values of them, those of one period by name; the reference is the previous
    version's last `periods` periods with values, the compared period included: where both versions serve at once, they are compared on
    the same days. Groups without a version and the first version have no reference, so their drift is undefined. Needs `model_version_column`.
    """

    kind: Kind = "previous_version"


def stored_histograms(table: pa.Table | None) -> dict[ColumnKey, list[Histograms]]:
    """Read stored rows: column → histograms of each period, oldest first.

    Raises
    ------
    BadReferenceError
        If rows of a period are missing.
    """
    found: dict[ColumnKey, list[Histograms]] = defaultdict(list)
    if table is not None:
        for key, histograms in from_rows(table):
            found[key].append(histograms)
    return {key: sorted(parts, key=lambda part: int(part.start[0])) for key, parts in found.items()}


def anchor(parts: Sequence[Histograms], first_start: int) -> Bins:
    """Bins to go on with: those of the newest stored period before the call's first one, else those of the oldest."""
    before = [part for part in parts if part.start[0] < first_start]
    return (before[-1] if before else parts[0]).bins


class WindowReferences:
    """Compares periods of a call with periods before them, of the call itself and of what is stored.

    Parameters
    ----------
    stored
        Of `stored_histograms`; periods with other bins than the call's have no part.
    recorder
        Keeps the call's own histograms.
    """

    def __init__(
        self,
        window: MovingWindow,
        stored: Mapping[ColumnKey, Sequence[Histograms]],
        recorder: Recorder,
        version_column: str | None,
    ) -> None:
        self.window, self.stored, self.recorder, self.version_column = window, stored, recorder, version_column

    def of(
        self, columns: tuple[str, ...], k: int | None, bins: Bins, counted: CountedBins
    ) -> Mapping[str, Floats] | None:
        """Return the reference of every row; see `metrics.bins.References`."""
        self.recorder.of(columns, k, bins, counted)
        key = ColumnKey(columns[0], k)
        own = self.recorder.found[key]
        ours = set(self.recorder.starts.tolist())
        parts = [p for p in self.stored.get(key, ()) if same_bins(p.bins, bins) and int(p.start[0]) not in ours]
        names = [name for name in STATE if name in counted.state]
        history = joined([part.narrowed(names) for part in (*parts, own)])
        result = {name: np.full((len(counted.group), len(bins)), np.nan) for name in names}
        for period in np.unique(counted.period):
            rows = np.flatnonzero(counted.period == period)
            found = _before(self.window, history, int(self.recorder.starts[period]), self.version_column)
            compared = _rows_of(counted, rows)
            reference = Reference({key: found}).lookup(key, compared) or {}
            for name, values in reference.items():
                result[name][rows] = values
        return result


def _rows_of(counted: CountedBins, rows: np.ndarray) -> CountedBins:
    """Return the periods and groups of some rows."""
    return replace(counted, period=counted.period[rows], group=counted.group[rows], state={})


def reference_from(
    histograms: pa.Table,
    kind: Kind,
    period_starts: Sequence[datetime],
    *,
    periods: int = 28,
    version_column: str | None = None,
) -> dict[datetime, Reference]:
    """Return the reference of each period from stored histograms.

    Parameters
    ----------
    histograms
        Schema `records.HISTOGRAMS`, whole periods.
    kind
        `moving_window`: the last `periods` periods before. `previous_version`: for each version, that many of the one before it.
    period_starts
        Aware.
    version_column
        Group column that says the model's version; `previous_version` needs it.

    Returns
    -------
    dict
        Period start → reference; one without columns where there is nothing yet.
    """
    window = MovingWindow(periods, kind=kind)
    stored = stored_histograms(histograms)
    references = {}
    for moment in period_starts:
        start = int(np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us").astype(np.int64))
        columns = {}
        for key, parts in stored.items():
            bins = anchor(parts, start)
            history = joined([part for part in parts if same_bins(part.bins, bins)])
            found = _before(window, history, start, version_column)
            if len(found.group):
                columns[key] = found
        references[moment] = Reference(columns)
    return references


def _before(window: MovingWindow, history: Histograms, start: int, version_column: str | None) -> Histograms:
    """Return what a period is compared with, one row a group."""
    filled = history.state["count"].sum(axis=1) > 0
    if window.kind == "moving_window":
        return _last(history, filled & (history.start < start), window.periods).summed()
    return _previous_versions(history, filled & (history.start <= start), window.periods, version_column)


def _last(history: Histograms, rows: np.ndarray, periods: int) -> Histograms:
    newest = np.unique(history.start[rows])[-periods:]
    return history.take(np.flatnonzero(rows & np.isin(history.start, newest)))


def _previous_versions(history: Histograms, rows: np.ndarray, periods: int, column: str | None) -> Histograms:
    """Histograms of each version's predecessor, under the group key of the version itself."""
    versions = [key.get(column) if column is not None else None for key in history.group_keys]
    of_row = np.array([*versions, None], dtype=object)[history.group]
    first: dict[str, int] = {}
    for index in np.flatnonzero(rows):
        version = of_row[index]
        if version is not None:
            first[version] = min(first.get(version, history.start[index]), history.start[index])
    order = sorted(first, key=lambda version: (first[version], _natural(version)))
    parts = []
    for previous, version in pairwise(order):
        found = _last(history, rows & (of_row == previous), periods).summed()
        keys = [{**key, str(column): version} for key in found.group_keys]
        parts.append(replace(found, group_keys=keys))
    return joined(parts) if parts else history.take(np.empty(0, np.int64)).summed()


def _natural(version: str) -> list[tuple[int, str]]:
    """Order numbers in names as numbers: `v9` comes before `v10`."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", version)]
