"""Drift of columns against a reference: a table, stored histograms, the periods before, or the previous version of the model."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any, Unpack

from lupus_provider.engines import engine_for
from lupus_provider.errors import BadPlanError, UnknownMetricError
from lupus_provider.metrics.base import Family
from lupus_provider.metrics.bins import Bins, CategoryBins, coarsened
from lupus_provider.metrics.drift import DriftMetric
from lupus_provider.metrics.grammar import MetricExpression, parse_metric
from lupus_provider.metrics.plan import Measure, Refused
from lupus_provider.metrics.registry import SHELVES
from lupus_provider.processors.assemble import Stamp, points
from lupus_provider.processors.base import Processor, RowOptions, metric_names
from lupus_provider.processors.edges import FULL, Recorder, bins_of
from lupus_provider.processors.histograms import ColumnKey, finished, to_rows
from lupus_provider.processors.reference import MAX_CATEGORIES, RESOLUTION, Reference, is_saved_reference
from lupus_provider.processors.schema import with_schema_points
from lupus_provider.processors.windows import (
    MovingWindow,
    PreviousVersion,
    WindowReferences,
    anchor,
    stored_histograms,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from lupus_provider.metrics.base import Floats
    from lupus_provider.metrics.bins import CountedBins, References

BINS = 10
"""Bins of a column of numbers in `psi` and its kin."""
_OF_BOTH = ("group_columns", "group_sets", "slices", "max_entities")


class DriftProcessor(Processor):
    """Turn a table into points that say how far its columns have moved, by group and by period, in one scan.

    Parameters
    ----------
    df
        See `processors.base.Processor`.
    reference
        What is compared with. A table of any kind that processors take is measured once, with the same groups; a `Reference`, or the path
        of a saved one, is not measured again; `MovingWindow` and `PreviousVersion` compare with earlier periods and versions.
    column_metrics
        Column → names of the drift family, such as `{"age": ["psi", "ks"], "interests": ["js@5"]}`; names of the distribution family
        may stand among them.
    bins
        Bins of a column of numbers in `psi`, `js`, `kl`, `hellinger`, `chi2`, `linf`: 2 … 100. More bins show finer changes and more chance
        (`metrics.drift` has the formula).
    categorical
        Columns of numbers that are names, such as store ids, compared by category as texts are. Bins of a given reference stay as they are.
    max_categories
        The reference's most frequent values that have a bin of their own.
    rows
        Which rows, groups and periods: see `processors.base.Processor`. A group that the reference lacks has the value null.

    Raises
    ------
    UnknownMetricError
        If a metric name is unknown.
    BadPlanError
        If arguments contradict themselves.

    Examples
    --------
    >>> import pyarrow as pa
    >>> january = pa.table({"age": list(range(100))})
    >>> today = pa.table({"age": list(range(20, 120))})
    >>> metrics = DriftProcessor(today, reference=january, column_metrics={"age": ["ks", "wasserstein"]}).get_metrics()
    >>> round(metrics.value("age", "ks"), 2), round(metrics.value("age", "wasserstein"), 6)
    (0.2, 20.0)
    """

    def __init__(
        self,
        df: Any,
        *,
        reference: Any,
        column_metrics: Mapping[str, Sequence[str]],
        bins: int = BINS,
        categorical: Sequence[str] = (),
        max_categories: int = MAX_CATEGORIES,
        **rows: Unpack[RowOptions],
    ) -> None:
        if not 2 <= bins <= RESOLUTION:
            raise BadPlanError("bins", f"is {bins}", f"Give 2 to {RESOLUTION}.")
        if isinstance(reference, PreviousVersion) and not rows.get("model_version_column"):
            raise BadPlanError(
                "reference", "is the previous version, and no column says the version", "Give model_version_column."
            )
        if reference is None:
            raise BadPlanError(
                "reference", "is missing", "Give a table, a Reference, MovingWindow() or PreviousVersion()."
            )
        self.drift, others = _sorted(column_metrics)
        super().__init__(df, column_metrics=others, **rows)
        self.reference, self.bins, self.rows = reference, bins, rows
        self.categorical, self.max_categories = metric_names("categorical", categorical), max_categories
        self._made: Reference | None = None
        self._recorded: pa.Table | None = None

    def points(self, stamp: Stamp) -> pa.Table:
        """Measure the table and compare it; the reference is measured before, once."""
        recorder = Recorder(self.periods)
        found, references = (
            self._windowed(recorder) if isinstance(self.reference, MovingWindow) else self._fixed(recorder)
        )
        measures, refused = self._measures(found)
        plan = replace(self.plan, measures=(*self.plan.measures, *measures))
        engine = engine_for(self.df)
        table = points(plan, chain(self.refused, refused, engine.answers(plan)), stamp, self.periods, references)
        version = self.plan.model_version_column
        rows = [to_rows(key, item, stamp.project, stamp.metric_set, version) for key, item in recorder.found.items()]
        self._recorded = finished(rows, stamp.run_id, stamp.collected_at)
        return with_schema_points(table, self.of_table, engine, stamp, self.periods)

    def histograms(self) -> pa.Table:
        """Histograms of the last `get_metrics`, schema `records.HISTOGRAMS`: kept per period, they are the reference of later calls.

        Raises
        ------
        BadPlanError
            If nothing was measured yet.
        """
        if self._recorded is None:
            raise BadPlanError("histograms()", "comes before get_metrics()", "Measure first.")
        return self._recorded

    # -- where the bins come from ------------------------------------------------------------------------------------

    def _fixed(self, recorder: Recorder) -> tuple[dict[ColumnKey, Bins | str], References]:
        reference = self._given()
        found = {key: reference.bins(key) or reference.refused.get(key, "") for key in self.drift}
        return found, _Fixed(reference, recorder, self.plan.model_version_column)

    def _given(self) -> Reference:
        """Return the reference as histograms; a table is measured the first time."""
        if self._made is None:
            given = self.reference
            if isinstance(given, Reference):
                self._made = given
            elif isinstance(given, (str, os.PathLike)) and os.path.isfile(given) and is_saved_reference(given):
                self._made = Reference.load(given)
            else:
                rows: Any = {name: value for name, value in self.rows.items() if name in _OF_BOTH}
                names = [str(key) for key in self.drift]
                richest = max(chain.from_iterable(self.drift.values()), key=_size_of_state, default=None)
                self._made = Reference.of(
                    given, names, categorical=self.categorical, max_categories=self.max_categories,
                    metric=richest.metric.name if richest else FULL, **rows,
                )  # fmt: skip
        return self._made

    def _windowed(self, recorder: Recorder) -> tuple[dict[ColumnKey, Bins | str], References]:
        """Go on with stored bins; columns that were never stored get bins from the table itself."""
        stored = stored_histograms(self.reference.histograms)
        start = int(recorder.starts[0]) if len(recorder.starts) else 0
        found: dict[ColumnKey, Bins | str] = {
            key: anchor(parts, start) for key, parts in stored.items() if key in self.drift
        }
        new = [key for key in self.drift if key not in found]
        if new:
            found |= bins_of(self.df, new, frozenset(self.categorical), self.max_categories, RESOLUTION, self.rows)
        return found, WindowReferences(self.reference, stored, recorder, self.plan.model_version_column)

    def _measures(self, found: Mapping[ColumnKey, Bins | str]) -> tuple[list[Measure], list[Refused]]:
        measures, refused = [], []
        for key, expressions in self.drift.items():
            bins = found[key]
            for expression in expressions:
                reason = _refusal(key, expression, bins)
                if reason is not None:
                    refused.append(Refused(Measure((key.column,), expression), reason))
                elif not isinstance(bins, str):
                    measures.append(Measure((key.column,), expression, bins=coarsened(bins, self.bins)))
        return measures, refused


def _sorted(
    column_metrics: Mapping[str, Sequence[str]],
) -> tuple[dict[ColumnKey, list[MetricExpression]], dict[str, list[str]]]:
    """Tell names of the drift family from those of the distribution family."""
    drift: dict[ColumnKey, list[MetricExpression]] = {}
    others: dict[str, list[str]] = {}
    for column, names in column_metrics.items():
        for name in metric_names(column, names):
            try:
                expression = parse_metric(name, Family.DRIFT)
            except UnknownMetricError:
                if not _is_distribution(name):
                    raise
                others.setdefault(column, []).append(name)
            else:
                drift.setdefault(ColumnKey(column, expression.k), []).append(expression)
    return drift, others


def _size_of_state(expression: MetricExpression) -> int:
    """Count what a metric needs of each bin; what a larger state holds, serves the smaller ones."""
    return len(getattr(expression.metric, "state", ()))


def _is_distribution(name: str) -> bool:
    try:
        parse_metric(name, Family.DISTRIBUTION)
    except UnknownMetricError:
        return False
    return True


def _refusal(key: ColumnKey, expression: MetricExpression, bins: Bins | str) -> str | None:
    metric = expression.metric
    if isinstance(bins, str):
        why = f": {bins}" if bins else ". Build the reference with that column."
        return f"{expression.name!r} compares with a reference, and the reference has no column {str(key)!r}{why}"
    if isinstance(bins, CategoryBins) and isinstance(metric, DriftMetric) and metric.ordered:
        takes = [name for name, kind in SHELVES[Family.DRIFT].items() if not getattr(kind, "ordered", False)]
        return (
            f"{expression.name!r} needs numbers, and column {key.column!r} is compared by category. "
            f"Ask for one of {', '.join(takes)}."
        )
    return None


class _Fixed:
    """Compares every period with the same histograms."""

    def __init__(self, reference: Reference, recorder: Recorder, version_column: str | None) -> None:
        self.reference, self.recorder, self.version_column = reference, recorder, version_column

    def of(
        self, columns: tuple[str, ...], k: int | None, bins: Bins, counted: CountedBins
    ) -> Mapping[str, Floats] | None:
        self.recorder.of(columns, k, bins, counted)
        return self.reference.lookup(ColumnKey(columns[0], k), counted, self.version_column)
