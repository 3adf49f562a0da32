"""Regressions: predictions against targets, by group and by period, in one scan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from lupus_provider.metrics.base import Family
from lupus_provider.metrics.plan import Measure
from lupus_provider.processors.base import Processor, ScanOptions, column_pair, parse_names

if TYPE_CHECKING:
    from collections.abc import Sequence

USUAL = ("mae", "rmse", "smape", "r2", "bias", "label_coverage")
"""Default metrics."""


class RegressionProcessor(Processor):
    """Turn predictions of numbers into points; rows without a target wait for it.

    Parameters
    ----------
    df
        See `processors.base.Processor`.
    target_column
        Column of true values, null where not yet known.
    prediction_column
        Column of predicted values; points are written under it.
    metrics
        Names of the regression family.
    scan
        Which rows, groups and periods, and metrics of further columns: see `processors.base.Processor`.

    Raises
    ------
    UnknownMetricError
        If a metric name is unknown.
    BadPlanError
        If arguments are missing or contradict themselves.

    Examples
    --------
    >>> import pyarrow as pa
    >>> table = pa.table({"delay": [10.0, 0.0, None], "predicted": [12.0, -4.0, 3.0]})
    >>> metrics = RegressionProcessor(table, target_column="delay", prediction_column="predicted").get_metrics()
    >>> metrics.value("predicted", "mae"), metrics.value("predicted", "bias")
    (3.0, -1.0)
    """

    def __init__(
        self,
        df: Any,
        *,
        target_column: str,
        prediction_column: str,
        metrics: Sequence[str] = USUAL,
        **scan: Unpack[ScanOptions],
    ) -> None:
        columns = column_pair(("prediction_column", prediction_column), ("target_column", target_column))
        measures = [Measure(columns, expression) for expression in parse_names(metrics, Family.REGRESSION)]
        super().__init__(df, measures=measures, **scan)
