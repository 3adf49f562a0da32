"""What Spark reads of the history is what a scan finds: rows, columns, types and instants, over a Connect server with Hive's catalogue."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest

from lupus_provider.engines.spark_session import spark_session
from lupus_provider.periods import Span
from lupus_provider.records import ANOMALIES, POINTS
from lupus_provider.stores.history import hive_sql as sql
from lupus_provider.stores.history.base import HistoryQuery
from lupus_provider.stores.history.parquet import ParquetHistory
from lupus_provider.stores.history.spark_read import read_files, read_table
from lupus_provider.testing.builders import METRIC_SET, PROJECT, a_point, day, incoming, points
from lupus_provider.testing.history import END, KEY, load
from lupus_provider.testing.spark import connect_server

pytest.importorskip("pyspark")
TABLE = "lupus.lupus_points"
SPAN = Span(day(1, 6), day(31))
SERIES = a_point(group_key={"país": "東京 🗼", "empty": ""})["series_id"]


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spark")
    conf = {
        "spark.sql.catalogImplementation": "hive",
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={folder / 'metastore'};create=true",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.session.timeZone": "Asia/Tokyo",  # an instant must not depend on it
    }
    with connect_server(conf) as remote:
        session = spark_session(remote=remote)
        yield session
        session.stop()


class Told:
    """A catalogue made by the statements that Hive gets, in the session's own metastore."""

    name = "spark"

    def __init__(self, spark):
        self.spark = spark

    def publish(self, kind, project, metric_set, versions):
        place = sql.location(sql.table_folder(versions[0].url), {})
        self.spark.sql("CREATE DATABASE IF NOT EXISTS lupus")
        self.spark.sql(sql.create_table("`lupus`.`lupus_points`", sql.column_types(kind.schema), "external", place))
        for version in versions:
            part = sql.partition(project, metric_set, version.dt)
            where = sql.location(version.url, {})
            self.spark.sql(f"ALTER TABLE lupus.lupus_points ADD IF NOT EXISTS {part} LOCATION {where}")
            self.spark.sql(f"ALTER TABLE lupus.lupus_points {part} SET LOCATION {where}")


@pytest.fixture(scope="module")
def history(spark, tmp_path_factory):
    """Two merged months with a late load, days of their own, an emptied one, and another metric set."""
    history = ParquetHistory(tmp_path_factory.mktemp("history"), Told(spark))
    rows = [
        a_point(None, error="é", n_rows=None), a_point(1e-300, metric="sum", entity="o'1"), a_point(0.25, entity="b", sample_ratio=0.5),
        a_point(3.5, group_key={"país": "東京 🗼", "empty": ""}),
    ]  # fmt: skip
    for n in (0, 1, 2, 30, 31, 32):
        starts = [day(n, hour) for hour in (0, 6)]
        tables = [points(*({**row, "period_start": at} for row in rows)) for at in starts]
        history.load(*KEY, lambda starts=starts, tables=tables: list(map(incoming, starts, tables)))
    assert history.compact(*KEY, END).months == 2
    load(history, {day(2): 100.0, day(61): 5.0})
    history.load(*KEY, lambda: [incoming(day(32), points()), incoming(day(32, 6), points())])
    history.load(POINTS, PROJECT, "other", lambda: [incoming(day(), points(a_point(9.0)))])
    return history


@pytest.fixture(params=["table", "files"])
def read(request, spark, history):
    if request.param == "table":
        return lambda query: read_table(spark, TABLE, query)
    return lambda query: read_files(spark, history.objects, query)


QUERIES = [
    {}, {"span": SPAN}, {"series_ids": (SERIES,)}, {"columns": ("value", "series_id", "period_start"), "span": SPAN},
    {"span": Span(day(100), day(101))},
]  # fmt: skip


@pytest.mark.parametrize("given", QUERIES, ids=str)
def test_rows_columns_and_types_are_those_of_a_scan(history, read, given):
    query = HistoryQuery(*KEY, **given)
    wanted = history.scan(query).read_all()
    found = read(query).toArrow()
    assert found.schema.names == wanted.schema.names
    typed = found.cast(
        wanted.schema
    )  # an Arrow map of Spark differs in the names of its fields only; the zone is the session's
    assert pa.types.is_timestamp(found.schema.field("period_start").type)
    order = [(name, "ascending") for name in POINTS.key if name in wanted.schema.names]
    assert as_rows(typed.sort_by(order)) == as_rows(wanted.sort_by(order))


def as_rows(table):
    rows = table.to_pylist()
    for row in rows:
        if "group_key" in row:
            row["group_key"] = dict(row["group_key"])
    return rows


def test_a_kind_that_was_never_loaded_has_the_columns(spark, history):
    found = read_files(spark, history.objects, HistoryQuery(ANOMALIES, PROJECT, METRIC_SET))
    assert found.columns == ANOMALIES.schema.names
    assert found.count() == 0


def test_a_span_prunes_partitions(spark, history, capsys):
    read_table(spark, TABLE, HistoryQuery(*KEY, Span(day(31), day(31, 12)))).explain("formatted")
    told = capsys.readouterr().out
    filters = re.search(r"PartitionFilters: \[(.*)\]", told)
    assert filters is not None, told
    assert "2024-02-01" in filters[1]
    assert PROJECT in filters[1]
