"""Makes one DAG of every metric set: from a folder (`load_dags`), from one file (`load_project_dags`), or by the DAG bundle.

The names are looked up on first use, so that stubs can be written where Airflow is not set up (`lupus sync`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lupus_provider.dag_factory.loading import load_dags, load_project_dags

__all__ = ["load_dags", "load_project_dags"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")  # noqa: TRY003  (Python's own words)
    from lupus_provider.dag_factory import loading

    return getattr(loading, name)
