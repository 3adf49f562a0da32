"""Measures a metric set's table into the stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lupus_provider.operators.base import LupusOperator, run_of

if TYPE_CHECKING:
    from airflow.sdk import Context


class CollectOperator(LupusOperator):
    """Measure the periods of a run in one scan and stage one file a period; see `steps.collect` for the law.

    Parameters
    ----------
    spark_conn_id
        Connection of Spark, for metric sets with `engine: spark`; one that does not exist means Spark inside the task.
    """

    def __init__(self, *, spark_conn_id: str = "lupus_spark", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.spark_conn_id = spark_conn_id

    def execute(self, context: Context) -> dict[str, int | str]:
        """Collect; return counts and the stage's path."""
        from lupus_provider.clock import utc_now
        from lupus_provider.hooks.settings import data_folder
        from lupus_provider.hooks.spark import SparkConnections
        from lupus_provider.steps.collect import collect

        with self.work(context) as target:
            connections = SparkConnections(self.spark_conn_id, lambda: self.stores.access("stage"))
            run_id = run_of(context).run_id
            return collect(target, self.stores.stage, data_folder(), run_id, utc_now(), connections).as_xcom()
