"""Merges the day files of closed months of a metric set's history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lupus_provider.operators.base import LupusOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class CompactOperator(LupusOperator):
    """Make years of history quick to read; no row changes. See `steps.compact` for the law."""

    def execute(self, context: Context) -> dict[str, int | str]:
        """Compact; return counts. A month that is merged already costs one look at the manifest."""
        from lupus_provider.clock import utc_now
        from lupus_provider.steps.compact import compact

        with self.work(context) as target:
            done = compact(target.project, self.stores.history, utc_now(), [self.metric_set])
        return {"months": done.months, "files": done.files, "rows": done.rows}
