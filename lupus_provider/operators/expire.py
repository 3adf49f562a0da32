"""Drops what is older than the project file lets a metric set's records be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lupus_provider.operators.base import LupusOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class ExpireOperator(LupusOperator):
    """Drop the records beyond `retention` from the history, its catalogue and the index. See `steps.expire` for the law."""

    def execute(self, context: Context) -> dict[str, int | str]:
        """Expire; return counts."""
        from lupus_provider.clock import utc_now
        from lupus_provider.steps.expire import expire

        with self.work(context) as target:
            done = expire(target.project, self.stores.history, self.stores.index, utc_now(), [self.metric_set])
        return {"days": done.history.days, "rows": done.history.rows, "index_periods": done.index_periods}
