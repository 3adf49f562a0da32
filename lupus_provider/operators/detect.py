"""Judges a metric set's series by its detectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lupus_provider.operators.base import LupusOperator, run_of

if TYPE_CHECKING:
    from airflow.sdk import Context


class DetectOperator(LupusOperator):
    """Judge the periods of a run and stage anomalies and evaluations; see `steps.detect` for the law."""

    def execute(self, context: Context) -> dict[str, int | str]:
        """Detect; return counts and the stage's path."""
        from lupus_provider.clock import utc_now
        from lupus_provider.steps.detect import detect

        with self.work(context) as target:
            run_id = run_of(context).run_id
            return detect(target, self.stores.history, self.stores.stage, utc_now(), run_id).as_xcom()
