from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from lupus_provider.engines import engine_for
from lupus_provider.engines.source import TableSource
from lupus_provider.errors import Terminal, UnknownDataError
from lupus_provider.processors import DistributionProcessor


@pytest.mark.parametrize(
    "data",
    [
        "a.parquet",
        Path("a.csv"),
        TableSource(path="a.parquet"),
        pd.DataFrame(),
        pl.DataFrame(),
        pl.LazyFrame(),
        pa.table({}),
    ],
)
def test_files_and_frames_are_measured_by_duckdb(data):
    assert type(engine_for(data)).__name__ == "DuckDBEngine"


@pytest.mark.parametrize(
    "data", [None, 5, {"a": [1]}, [1], np.zeros(3), pd.Series([1]), pa.array([1]), pa.chunked_array([[1]]), object()]
)
def test_what_is_no_table_is_refused_with_what_could_be_given(data):
    with pytest.raises(UnknownDataError, match=r"cannot be measured. Give a DuckDB relation") as caught:
        DistributionProcessor(data, column_metrics={}).get_metrics()
    assert isinstance(caught.value, Terminal)


def test_a_spark_frame_is_never_pulled_to_this_process():
    frame = type(
        "DataFrame",
        (),
        {"__module__": "pyspark.sql.dataframe", "__arrow_c_stream__": lambda self, schema=None: 1 / 0, "columns": []},
    )
    assert type(engine_for(frame())).__name__ == "SparkEngine"


def test_a_source_is_called_by_its_place():
    assert str(TableSource(path="/data/a.parquet")) == "/data/a.parquet"
    assert str(TableSource(table="flights", database="/data/a.duckdb")) == "flights of /data/a.duckdb"
