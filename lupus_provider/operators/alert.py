"""Tells a project's people about anomalies, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lupus_provider.operators.base import LupusOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class AlertOperator(LupusOperator):
    """Record the episodes of a run and deliver what is due; see `steps.alert` for the law."""

    def execute(self, context: Context) -> dict[str, int | str]:
        """Alert; return counts."""
        from lupus_provider.clock import utc_now
        from lupus_provider.hooks.channels import open_channel
        from lupus_provider.steps.alert import alert

        with self.work(context) as target:
            channel = open_channel(target.project.alerts.channel)
            return alert(target, self.stores.history, self.stores.ledger, channel, utc_now()).as_xcom()
