"""Engines by the type of the data: the first that knows it computes. Opening one imports its library, listing them none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lupus_provider.errors import UnknownDataError

if TYPE_CHECKING:
    from lupus_provider.engines.base import Engine

SPARK_MODULES = ("pyspark.",)
DUCKDB_MODULES = ("duckdb", "_duckdb", "pandas.", "polars.", "pyarrow.")


def engine_for(data: Any) -> Engine:
    """Return the engine that computes on `data`.

    Parameters
    ----------
    data
        DuckDB relation, pandas or polars frame, Arrow table or reader, path of a Parquet, CSV or JSON-lines file, or a FileSource.

    Raises
    ------
    UnknownDataError
        If no engine takes that type.
    """
    from lupus_provider.engines.source import TableSource

    module = f"{type(data).__module__}."
    if isinstance(data, TableSource) or hasattr(data, "__fspath__") or isinstance(data, str) or module.startswith(DUCKDB_MODULES):
        from lupus_provider.engines.duckdb import DuckDBEngine

        return DuckDBEngine(data)
    raise UnknownDataError(f"{type(data).__module__}.{type(data).__qualname__}")
