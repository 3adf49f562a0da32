"""Engines by the type of the data: the first that knows it computes. Opening one imports its library, listing them none."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from lupus_provider.engines.source import Joined, TableSource
from lupus_provider.errors import BadPlanError, UnknownDataError

if TYPE_CHECKING:
    from lupus_provider.engines.base import Engine

_SPARK_MODULES = ("pyspark.",)
_DUCKDB_MODULES = ("duckdb.", "_duckdb.", "pandas.", "polars.", "pyarrow.")


def engine_for(data: Any, engine: str | None = None) -> Engine:
    """Return the engine that computes on `data`.

    Parameters
    ----------
    data
        Spark DataFrame, DuckDB relation, pandas or polars frame, Arrow table or reader, path of a Parquet, CSV or JSON-lines file,
        a TableSource, or Joined of these.
    engine
        `spark` or `duckdb`, for paths and tables that both read; None: the type of the data says it, and DuckDB reads paths.

    Raises
    ------
    UnknownDataError
        If no engine, or not that engine, takes that type.
    BadPlanError
        If there is no engine of that name.
    """
    first = data.data if isinstance(data, Joined) else data
    named = isinstance(first, (str, os.PathLike, TableSource))
    is_spark = _module(first).startswith(_SPARK_MODULES)
    if engine not in (None, "duckdb", "spark"):
        raise BadPlanError("engine", f"is {engine!r}", "Give 'spark' or 'duckdb'.")
    if (is_spark and engine != "duckdb") or (named and engine == "spark"):
        from lupus_provider.engines.spark import SparkEngine

        return SparkEngine(data)
    # A Spark frame can offer Arrow as well; taking that offer would pull the whole table to this process.
    is_local = named or _module(first).startswith(_DUCKDB_MODULES) or hasattr(first, "__arrow_c_stream__")
    if is_local and not is_spark and engine != "spark":
        from lupus_provider.engines.duckdb import DuckDBEngine

        return DuckDBEngine(data)
    raise UnknownDataError(f"{type(first).__module__}.{type(first).__qualname__}")


def _module(data: Any) -> str:
    return f"{type(data).__module__}."
