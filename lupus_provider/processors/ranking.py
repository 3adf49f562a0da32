"""Rankings: predicted lists against lists of truths, by group and by period, in one scan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from lupus_provider.errors import BadPlanError
from lupus_provider.metrics.base import Family
from lupus_provider.metrics.plan import Measure, Refused
from lupus_provider.metrics.ranking import RankingMetric
from lupus_provider.processors.base import Processor, ScanOptions, column_pair, parse_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lupus_provider.metrics.grammar import MetricExpression

USUAL = (
    "recall@10", "ndcg@10", "mrr@10", "hit_rate@10", "unique@10", "gini@10", "novelty@10", "empty_truth_ratio", "label_coverage",
)  # fmt: skip
"""Default metrics."""


class RankingProcessor(Processor):
    """Turn recommendations into points: whether people chose what was shown, and how wide a choice was shown.

    Parameters
    ----------
    df
        See `processors.base.Processor`.
    predicted_column
        Column of lists, best item first; null is an empty list. Points are written under it.
    truth_column
        Column of lists of the items that were right, in any order; null where not yet known.
    metrics
        Names of the ranking family, with `@k`: the first k items.
    catalog_size
        Number of items that could be shown: `coverage@k` needs it, `gini@k` counts never shown items with it.
    scan
        Which rows, groups and periods, and metrics of further columns: see `processors.base.Processor`.

    Raises
    ------
    UnknownMetricError
        If a metric name is unknown.
    BadPlanError
        If arguments are missing or contradict themselves, or a metric needs `@k`.

    Examples
    --------
    >>> import pyarrow as pa
    >>> table = pa.table({"shown": [["a", "b", "c"], ["d"]], "bought": [["b", "x"], ["d"]]})
    >>> metrics = RankingProcessor(
    ...     table, predicted_column="shown", truth_column="bought", metrics=["recall@2", "mrr"]
    ... ).get_metrics()
    >>> metrics.value("shown", "recall@2"), metrics.value("shown", "mrr")
    (0.75, 0.75)
    """

    def __init__(
        self,
        df: Any,
        *,
        predicted_column: str,
        truth_column: str,
        metrics: Sequence[str] = USUAL,
        catalog_size: int | None = None,
        **scan: Unpack[ScanOptions],
    ) -> None:
        columns = column_pair(("predicted_column", predicted_column), ("truth_column", truth_column))
        if catalog_size is not None and catalog_size < 1:
            raise BadPlanError(
                "catalog_size", f"is {catalog_size}", "Give the number of items that could be shown, 1 or more."
            )
        measures, refused = [], []
        for expression in parse_names(metrics, Family.RANKING):
            measure = Measure(columns, expression, parameters=_parameters(expression, catalog_size))
            if _needs_catalog(expression) and catalog_size is None:
                refused.append(Refused(measure, _NO_CATALOG.format(name=expression.name)))
            else:
                measures.append(measure)
        super().__init__(df, measures=measures, refused=refused, **scan)


_NO_CATALOG = "{name!r} is a share of the catalogue, and its size is not known. Give catalog_size, the number of items that could be shown."


def _needs_catalog(expression: MetricExpression) -> bool:
    metric = expression.metric
    if not isinstance(metric, RankingMetric):
        return False
    if metric.needs_cut and expression.k is None:
        raise BadPlanError(
            "metrics", f"has {expression.name!r} without a cut", f"Say how many items count: '{expression.name}@10'."
        )
    return metric.needs_catalog


def _parameters(expression: MetricExpression, catalog_size: int | None) -> tuple[tuple[str, float], ...]:
    of_catalog = isinstance(expression.metric, RankingMetric) and expression.metric.takes_catalog
    return (("catalog_size", float(catalog_size)),) if of_catalog and catalog_size is not None else ()
