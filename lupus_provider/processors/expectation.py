"""Expectations over a table as points, and as a gate: a suite of Great Expectations, by group and by period.

Every group and period is validated on its own, because an expectation that holds on average can be broken for one region every day.
"""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lupus_provider import clock
from lupus_provider.errors import BadPlanError
from lupus_provider.metrics.plan import make_plan
from lupus_provider.processors.assemble import Stamp
from lupus_provider.processors.base import ALWAYS
from lupus_provider.processors.batches import open_batches
from lupus_provider.processors.expectations import Suite
from lupus_provider.processors.made_elsewhere import points
from lupus_provider.processors.result import Metrics
from lupus_provider.processors.suite_result import BatchResult, SuiteResult

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lupus_provider.periods import Period
    from lupus_provider.processors.expectations import ExpectationSeverity

log = logging.getLogger(__name__)

_INSTEAD = {
    "slices": "Great Expectations looks at rows: use 'where' in a call of its own, or 'row_condition' in an expectation.",
    "sample": "An expectation is held against every row. Choose rows with 'where'.",
    "min_group_rows": "Every group is validated on its own. Leave small ones out with 'where', or group by less.",
}
"""Argument of other processors → what to do instead."""


class ExpectationProcessor:
    """Hold a table against a suite of expectations.

    Parameters
    ----------
    df
        Spark DataFrame, pandas or polars frame, DuckDB relation, Arrow table, or path of a Parquet, CSV or JSON-lines file. Rows of a
        Spark frame stay on its cluster (they are kept there while they are validated); of all others the columns that the suite needs
        come to this process as pandas, in which a missing value and NaN are the same.
    suite
        An `ExpectationSuite`, or a list of mappings with `expect`, maybe `name`, and the arguments: see `expectations.Suite`.
    group_columns, group_sets
        What splits the table; every group is validated on its own.
    periods
        Periods to split rows by `time_column`, oldest first, without overlap; None: all rows at once.
    time_column, time_zone, zone, where
        See `processors.base.Processor`.
    model_version_column
        Column of the version of the ML model behind a row: every group is validated once more for each version.
    others
        None: what other processors know as `slices`, `sample` and `min_group_rows` is refused, with what to do instead.
    max_batches
        Periods times groups that are taken on; each costs some hundredths of a second, on Spark seconds.

    Raises
    ------
    MissingExtraError
        If Great Expectations is not installed.
    BadExpectationError
        If an expectation is unknown, has wrong arguments, or is given twice.
    BadPlanError
        If arguments contradict themselves.

    Examples
    --------
    >>> import pyarrow as pa
    >>> suite = [{"expect": "expect_column_values_to_be_between", "column": "age", "min_value": 0, "max_value": 120}]
    >>> processor = ExpectationProcessor(pa.table({"age": [20, 30, -1, None]}), suite)
    >>> processor.result.success_ratio, processor.result.batches[0].verdicts[0].unexpected_ratio
    (0.0, 0.3333333333333333)
    """

    def __init__(
        self,
        df: Any,
        suite: Any,
        *,
        group_columns: Sequence[str] = (),
        group_sets: Sequence[Sequence[str]] | None = None,
        periods: Sequence[Period] | None = None,
        time_column: str | None = None,
        time_zone: str = "UTC",
        zone: str = "UTC",
        where: str | None = None,
        model_version_column: str | None = None,
        max_batches: int = 10_000,
        **others: Any,
    ) -> None:
        for argument in others:
            raise BadPlanError(argument, "is no argument of expectations", _INSTEAD.get(argument, "Leave it out."))
        self.df = df
        self.plan = make_plan(
            {}, (), group_columns, group_sets, periods=None if periods is None else tuple(periods), time_column=time_column,
            time_zone=time_zone, zone=zone, where=where, model_version_column=model_version_column,
        )  # fmt: skip
        self.suite = Suite(suite)
        self.max_batches = max_batches

    @cached_property
    def result(self) -> SuiteResult:
        """What the suite came to; the table is read when this is first asked for, and once.

        Raises
        ------
        UnknownDataError, SourceUnreadableError, TimeColumnError, PlanFailedError, EngineFailedError
            If the table as a whole cannot be read.
        """
        periods = (ALWAYS,) if self.plan.periods is None else self.plan.periods
        results = []
        with (
            open_batches(self.df, self.plan, self.suite.columns, self.max_batches) as table,
            self.suite.validating() as validate,
        ):
            for batch in table.batches:
                verdicts = tuple(validate(batch.frame(), table.columns))
                results.append(BatchResult(periods[batch.period], dict(batch.group_key), batch.n_rows, verdicts))
        log.info("held %d expectations against %d batches", len(self.suite), len(results))
        return SuiteResult(results, self.plan.model_version_column)

    def get_metrics(
        self,
        *,
        project: str = "local",
        metric_set: str = "expectations",
        run_id: str = "local",
        collected_at: datetime | None = None,
    ) -> Metrics:
        """Return the verdicts as points.

        Parameters
        ----------
        project, metric_set, run_id
            Whose points they are and which run measured them; series ids depend on the first two.
        collected_at
            Aware; when the reading began. Now, if not given.

        Returns
        -------
        Metrics
            Of the table `success_ratio`, the share of expectations that held. Of each expectation, as `entity`: `success_ratio` (1 or
            0), `unexpected_ratio` among values that are not missing, `observed_value` where it is a number. An expectation that could
            not be computed is points with `error`, and counts as failed.

        Raises
        ------
        UnknownDataError, SourceUnreadableError, TimeColumnError, PlanFailedError, EngineFailedError
            If the table as a whole cannot be read.
        """
        stamp = Stamp(project, metric_set, run_id, collected_at or clock.utc_now())
        return Metrics(points(self.result.values(), stamp), stamp, [period.start for period in self.plan.periods or ()])

    def check(
        self, min_success_ratio: float = 1.0, severity: ExpectationSeverity = "info", show_values: int = 0
    ) -> SuiteResult:
        """Validate, if that is not done yet, and raise if the data is not good enough: see `SuiteResult.gate`.

        Raises
        ------
        ExpectationsFailedError
            If in some period and group fewer expectations hold.
        """
        return self.result.gate(min_success_ratio, severity, show_values)
