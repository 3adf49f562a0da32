"""Measures a metric set's table into the stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lupus_provider.operators.base import LupusOperator, run_of

if TYPE_CHECKING:
    from airflow.sdk import Context


class CollectOperator(LupusOperator):
    """Measure the periods of a run in one scan and stage one file a period; see `steps.collect` for the law."""

    def execute(self, context: Context) -> dict[str, int | str]:
        """Collect; return counts and the stage's path."""
        from lupus_provider.clock import utc_now
        from lupus_provider.hooks.settings import data_folder
        from lupus_provider.steps.collect import collect

        with self.work(context) as target:
            run_id = run_of(context).run_id
            return collect(target, self.stores.stage, data_folder(), run_id, utc_now()).as_xcom()
