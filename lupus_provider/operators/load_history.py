"""Loads what is staged into the history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lupus_provider.operators.base import LupusOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class LoadHistoryOperator(LupusOperator):
    """Make the history say what the stage says about the periods of a run; see `steps.load_history` for the law.

    Parameters
    ----------
    kinds
        Which records to load: `points`, `anomalies`, `evaluations`.
    """

    def __init__(self, *, kinds: Sequence[str] = ("points",), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kinds = tuple(kinds)

    def execute(self, context: Context) -> dict[str, int | str]:
        """Load every kind; return counts by kind."""
        from lupus_provider.steps.load_history import load_history

        with self.work(context) as target:
            loaded: dict[str, int | str] = {}
            for kind in self.kinds:
                counts = load_history(target, self.stores.stage, self.stores.history, kind=kind).as_xcom()
                loaded |= {f"{kind}_{name}": count for name, count in counts.items()}
            return loaded
