"""Engines by the type of the data: the first that knows it computes. Opening one imports its library, listing them none."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from lupus_provider.engines.source import TableSource
from lupus_provider.errors import UnknownDataError

if TYPE_CHECKING:
    from lupus_provider.engines.base import Engine

_SPARK_MODULES = ("pyspark.",)
_DUCKDB_MODULES = ("duckdb.", "_duckdb.", "pandas.", "polars.", "pyarrow.")


def engine_for(data: Any) -> Engine:
    """Return the engine that computes on `data`.

    Parameters
    ----------
    data
        DuckDB relation, pandas or polars frame, Arrow table or reader, path of a Parquet, CSV or JSON-lines file, or a TableSource.

    Raises
    ------
    UnknownDataError
        If no engine takes that type.
    """
    module = f"{type(data).__module__}."
    # A Spark frame can offer Arrow as well; taking that offer would pull the whole table to this process.
    if not module.startswith(_SPARK_MODULES) and (
        isinstance(data, (str, os.PathLike, TableSource))
        or module.startswith(_DUCKDB_MODULES)
        or hasattr(data, "__arrow_c_stream__")
    ):
        from lupus_provider.engines.duckdb import DuckDBEngine

        return DuckDBEngine(data)
    raise UnknownDataError(f"{type(data).__module__}.{type(data).__qualname__}")
