from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from lupus_provider.config import Source
from lupus_provider.config.processors import ClassificationMetricSet
from lupus_provider.config.source import Table
from lupus_provider.engines.source import Joined, TableSource
from lupus_provider.steps.connections import NoConnections
from lupus_provider.steps.sources import data_of, table_source

FOLDER = Path("/data")


@pytest.mark.parametrize(
    ("path", "scheme", "expected"),
    [
        ("a/b.parquet", "", "/data/a/b.parquet"),
        ("a/*.parquet", "file://", "file:///data/a/*.parquet"),
        ("/srv/a.parquet", "file://", "/srv/a.parquet"),
        ("s3a://bucket/a", "file://", "s3a://bucket/a"),
        ("hdfs://nn:8020/a", "", "hdfs://nn:8020/a"),
        ("file:/srv/a", "file://", "file:/srv/a"),
    ],
)
def test_only_relative_paths_start_at_the_data_folder(path, scheme, expected):
    assert table_source(Source(path=path), FOLDER, scheme) == TableSource(path=expected)


def test_a_table_lies_in_the_duckdb_file_of_the_data_folder():
    assert table_source(Table(table="s.t"), FOLDER) == TableSource(table="s.t", database="/data/data.duckdb")
    assert table_source(Table(table="t", database="x.db"), FOLDER) == TableSource(table="t", database="/data/x.db")


def test_a_join_brings_both_tables_and_both_times():
    given = ClassificationMetricSet.model_validate({
        "processor": "classification", "source": {"path": "p", "time_column": "at"}, "label_column": "y", "prediction_column": "p",
        "join": {"labels": {"path": "t"}, "on": "id", "within": "1d", "label_time_column": "came"},
    })  # fmt: skip
    expected = Joined(TableSource("/data/p"), TableSource("/data/t"), "id", timedelta(days=1), "at", "came")
    assert data_of(given, FOLDER, NoConnections()) == expected
