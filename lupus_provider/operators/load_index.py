"""Loads what is staged into the index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lupus_provider.operators.base import LupusOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class LoadIndexOperator(LupusOperator):
    """Make the index say what the stage says about the periods of a run; see `steps.load_index` for the law.

    Parameters
    ----------
    kinds
        Which records to load: `points`, `anomalies`, `evaluations`.
    """

    def __init__(self, *, kinds: Sequence[str] = ("points",), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kinds = tuple(kinds)

    def execute(self, context: Context) -> dict[str, int | str]:
        """Load; return counts."""
        from lupus_provider.steps.load_index import load_index

        with self.work(context) as target:
            return load_index(target, self.stores.stage, self.stores.index, kinds=self.kinds).as_xcom()
