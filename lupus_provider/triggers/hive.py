"""Tells the history's catalogue of new versions from the triggerer, so that long statements keep no worker's slot.

The trigger runs the statements itself: an operation of HiveServer2 ends with the session that started it, so nobody could wait for one that
a worker left behind. A triggerer that dies or hands over begins again, which is safe: what is told is noted day by day.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from lupus_provider.errors import Terminal, Transient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from lupus_provider.hooks.stores import LupusHook


class PublishHistoryTrigger(BaseTrigger):
    """Fires when the catalogue knows everything that the history has of a metric set.

    Its event is `{"status": "success"}`, or `{"status": "error", "kind": "terminal" | "transient", "message": …}`.

    Parameters
    ----------
    history_conn_id
        Connection of the history, whose extra names the catalogue's.
    project, metric_set
        Whose records.
    kinds
        Which records: `points`, `anomalies`, `evaluations`, `histograms`.
    """

    def __init__(self, history_conn_id: str, project: str, metric_set: str, kinds: Sequence[str]) -> None:
        super().__init__()
        self.history_conn_id, self.project, self.metric_set = history_conn_id, project, metric_set
        self.kinds = list(kinds)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class's path and what it is made of."""
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        names = ("history_conn_id", "project", "metric_set", "kinds")
        return path, {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Publish in a thread; when the task is killed or the triggerer stops, cancel the running statement on the server."""
        stores = self._stores()
        work = asyncio.create_task(asyncio.to_thread(self._publish, stores))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            from lupus_provider.hooks.hive import cancel_catalog

            await asyncio.to_thread(cancel_catalog, stores)
            await asyncio.wait([work])  # its thread still uses the stores
            work.exception()  # that it was cancelled is no news
            raise
        except (Terminal, Transient) as err:
            kind = "terminal" if isinstance(err, Terminal) else "transient"
            yield TriggerEvent({"status": "error", "kind": kind, "message": str(err)})
        else:
            yield TriggerEvent({"status": "success"})

    def _stores(self) -> LupusHook:
        from lupus_provider.hooks.stores import LupusHook

        return LupusHook(history_conn_id=self.history_conn_id)

    def _publish(self, stores: LupusHook) -> None:
        from lupus_provider.steps.publish_history import publish_history

        try:
            publish_history(stores.history, self.project, self.metric_set, self.kinds)
        finally:
            stores.close()
