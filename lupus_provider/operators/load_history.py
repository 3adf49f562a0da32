"""Loads what is staged into the history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lupus_provider.operators.base import LupusOperator, raise_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context


class LoadHistoryOperator(LupusOperator):
    """Make the history say what the stage says about the periods of a run; see `steps.load_history` for the law.

    Parameters
    ----------
    kinds
        Which records to load: `points`, `anomalies`, `evaluations`.
    deferrable
        Whether the history's catalogue, if it has one, is told from the triggerer: its statements may be long, and keep no worker's
        slot then. The history itself is loaded before, so Lupus waits for nothing. None: as `[operators] default_deferrable`
        says, which is how all deferrable operators of an Airflow are switched at once, those of the DAG factory among them.
    """

    def __init__(self, *, kinds: Sequence[str] = ("points",), deferrable: bool | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kinds = tuple(kinds)
        self.deferrable = _default_deferrable() if deferrable is None else deferrable

    def execute(self, context: Context) -> dict[str, int | str]:
        """Load every kind; return counts by kind."""
        from lupus_provider.steps.load_history import load_history
        from lupus_provider.steps.publish_history import without_catalog

        with self.work(context) as target:
            untold = without_catalog(self.stores.history) if self.deferrable else None
            loaded: dict[str, int | str] = {}
            for kind in self.kinds:
                counts = load_history(target, self.stores.stage, untold or self.stores.history, kind=kind).as_xcom()
                loaded |= {f"{kind}_{name}": count for name, count in counts.items()}
        return loaded if untold is None else self._leave_to_trigger(loaded)

    def _leave_to_trigger(self, loaded: dict[str, int | str]) -> Any:
        from lupus_provider.triggers.hive import PublishHistoryTrigger

        trigger = PublishHistoryTrigger(self.history_conn_id, self.project, self.metric_set, self.kinds)
        self.defer(trigger=trigger, method_name="published", kwargs={"loaded": loaded}, timeout=self.execution_timeout)

    def published(
        self, context: Context, event: Mapping[str, Any], loaded: dict[str, int | str]
    ) -> dict[str, int | str]:
        """Go on after the trigger: return the counts of the load, or fail as the trigger did."""
        del context
        raise_for(event, "telling the history's catalogue")
        return loaded

    def on_kill(self) -> None:
        """Cancel the statement that runs in the catalogue, if one does."""
        stores = vars(self).get("stores")  # only what this task has opened
        if stores is not None:
            from lupus_provider.hooks.hive import cancel_catalog

            cancel_catalog(stores)


def _default_deferrable() -> bool:
    from airflow.sdk.configuration import conf

    return conf.getboolean("operators", "default_deferrable", fallback=False)
