from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lupus_provider.engines.source import TableSource
from lupus_provider.engines.spark_source import literal, open_table, quote
from lupus_provider.errors import PlanFailedError, SourceUnreadableError, UnknownDataError
from lupus_provider.metrics.base import Kind

NOW = datetime(2024, 1, 5, 1, 2, 3, tzinfo=UTC)
TABLE = pa.table({
    "a b": [1, 2, None], "x.y": ["p", "q`r", None], "user": [{"age": 20, "home": {"City": "東京"}}, {"age": None, "home": None}, None],
    "price": [Decimal("1.10"), None, Decimal("2.00")], "tags": [["x", None], [], None], "day": [date(2024, 1, 5), None, None],
    "at": pa.array([NOW, None, None], pa.timestamp("us", tz="UTC")), "local": pa.array([NOW.replace(tzinfo=None), None, None], pa.timestamp("us")),
    "blob": [b"a", None, None], "yes": [True, False, None], "score": pa.array([0.5, None, 1.0], pa.float32()), "small": pa.array([1, 2, 3], pa.int8()),
    "grid": [[[1.0]], None, []], "counts": pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int32())),
})  # fmt: skip


@pytest.fixture
def path(tmp_path):
    pq.write_table(TABLE, tmp_path / "t.parquet")
    return tmp_path / "t.parquet"


def values(table, column):
    return [row[0] for row in table.frame.selectExpr(table.column_sql(column)).collect()]


def test_types_are_told_in_the_words_of_duckdb(spark, path):
    table = open_table(str(path), "t", session=spark)
    with duckdb.connect() as connection:
        relation = connection.read_parquet(str(path))
        expected = dict(zip(relation.columns, map(str, relation.types)))
    assert {column: table.type_of(column).name for column in table.columns} == expected
    assert (table.type_of("user.age").kind, table.type_of("tags").is_list, table.type_of("blob").kind) == (
        Kind.NUMBER,
        True,
        Kind.OTHER,
    )


def test_a_column_that_never_held_a_value_has_the_type_of_none(spark):
    table = open_table(spark.sql("SELECT NULL AS x, array(NULL) AS y"), "t")
    assert (table.type_of("x").kind, table.type_of("y").name) == (Kind.ANY, '"NULL"[]')


def test_columns_of_any_name_and_fields_of_structs_are_read(spark, path):
    table = open_table(TableSource(path=str(path)), "t", session=spark)
    assert values(table, "a b") == [1, 2, None]
    assert values(table, "x.y") == ["p", "q`r", None]
    assert values(table, "user.age") == [20, None, None]
    assert values(table, "user.home.city") == ["東京", None, None]


@pytest.mark.parametrize("sensitive", ["true", "false"])
def test_names_that_differ_by_case_or_occur_twice_are_no_matter(spark, sensitive):
    before = spark.conf.get("spark.sql.caseSensitive")
    spark.conf.set("spark.sql.caseSensitive", sensitive)
    try:
        table = open_table(spark.sql("SELECT 1 AS age, 2 AS Age, 3 AS age, 4 AS `c0`"), "t")
        assert [values(table, name) for name in ("age", "Age", "c0")] == [[1], [2], [4]]
    finally:
        spark.conf.set("spark.sql.caseSensitive", before)


@pytest.mark.parametrize("column", ["agee", "Age", "user.gone", "age.x", "user.home.city.x"])
def test_a_missing_column_is_told_with_the_nearest_name(spark, column):
    table = open_table(spark.sql("SELECT 1 AS age, named_struct('home', named_struct('city', 'x')) AS user"), "t")
    found = table.type_of(column)
    assert found.startswith(f"column {column!r} is not in the table. ")
    assert found.endswith("It has: age, user.")
    assert ("Did you mean 'age'?" in found) == (column in ("agee", "Age", "age.x"))


def test_texts_that_a_collation_takes_for_one_stay_two(spark):
    table = open_table(spark.sql("SELECT x COLLATE UTF8_LCASE AS x FROM VALUES ('a'), ('A') AS t(x)"), "t")
    assert table.type_of("x").kind is Kind.TEXT
    assert table.frame.selectExpr(f"count(DISTINCT {table.column_sql('x')})").collect()[0][0] == 2


def test_a_condition_speaks_of_the_tables_own_names(spark, path):
    table = open_table(str(path), "t", "`a b` > 1 -- and more", session=spark)
    assert values(table, "a b") == [2]
    for wrong in ("nothing > 1", "`a b` >", "`a b` + 1", "1 = 1) OR (1 = 1"):
        with pytest.raises(PlanFailedError) as caught:
            open_table(str(path), "t", wrong, session=spark)
        assert "\n" not in str(caught.value)
        assert "SQLSTATE" not in str(caught.value)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_text_files_are_read_as_duckdb_reads_them(spark, tmp_path, zone):
    (tmp_path / "a.csv").write_text(
        'n,x,t,at,day\n1,NA,"a ""b""\nc",2024-01-05 01:02:03,2024-01-05\n,2.5,,,NA\n3,1,NA,2024-01-05 01:02:04,\n'
    )
    (tmp_path / "a.tsv").write_text("n\tx\n1\tNA\n\t2.5\n")
    (tmp_path / "a.jsonl").write_text(
        '{"n": 1, "x": null, "t": ["a"], "at": "2024-01-05T01:02:03"}\n{"n": null, "x": 2.5}\n'
    )
    before = spark.conf.get("spark.sql.session.timeZone")
    spark.conf.set("spark.sql.session.timeZone", zone)
    try:
        for file in ("a.csv", "a.tsv", "a.jsonl"):
            with duckdb.connect() as connection:
                name = str(tmp_path / file)
                relation = (
                    connection.read_json(name)
                    if file.endswith("jsonl")
                    else connection.read_csv(name, na_values=["", "NA"])
                )
                rows = sorted(map(str, relation.fetchall()))
                names = relation.columns
                times = [c for c, t in zip(names, map(str, relation.types)) if t.startswith("TIMESTAMP")]
            table = open_table(name, "t", session=spark)
            order = [table.column_sql(column) for column in names]
            assert sorted(str(tuple(row)) for row in table.frame.selectExpr(*order).collect()) == rows
            assert all(table.type_of(column).name == "TIMESTAMP" for column in times)
            assert file != "a.csv" or times == ["at"]
        assert spark.conf.get("spark.sql.timestampType") == "TIMESTAMP_LTZ"
    finally:
        spark.conf.set("spark.sql.session.timeZone", before)


def test_a_table_of_the_catalogue_is_opened_by_its_name(spark, tmp_path):
    spark.sql(f"CREATE TABLE lupus_tried USING parquet LOCATION '{tmp_path}/odd' AS SELECT 7 AS x")
    try:
        assert values(open_table(TableSource(table="default.lupus_tried"), "t", session=spark), "x") == [7]
    finally:
        spark.sql("DROP TABLE lupus_tried")


@pytest.mark.parametrize(
    "source",
    [TableSource(table="gone.away"), TableSource(path="/nowhere/x.parquet"), "/nowhere/x.csv", "/nowhere/x.json"],
)
def test_what_is_not_there_is_told_in_one_line(spark, source):
    with pytest.raises(SourceUnreadableError) as caught:
        open_table(source, "t", session=spark)
    assert "\n" not in str(caught.value)
    assert "[" not in str(caught.value)


def test_a_file_that_is_broken_is_told_in_one_line(spark, tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"this is no parquet file at all")
    with pytest.raises(SourceUnreadableError, match=r"x\.parquet") as caught:
        open_table(str(tmp_path / "x.parquet"), "t", session=spark)
    assert "\n" not in str(caught.value)


def test_streams_and_other_things_are_refused(spark):
    with pytest.raises(UnknownDataError, match="streaming"):
        open_table(spark.readStream.format("rate").load(), "t")
    with pytest.raises(UnknownDataError, match=r"builtins\.list"):
        open_table([1], "t", session=spark)


@pytest.mark.parametrize(
    "text",
    ["", "a", "it's", 'a"b', "a\\b", "\\", "é 日本", "${x}", "${spark.master}", "a\nb", "a\0b", "`", "-- x", "/* x"],
)
@pytest.mark.parametrize("escaped", ["true", "false"])
@pytest.mark.filterwarnings("ignore:The SQL config 'spark.sql.parser.escapedStringLiterals' has been deprecated")
def test_quoted_text_is_read_back_as_it_was(spark, text, escaped):
    before = spark.conf.get("spark.sql.parser.escapedStringLiterals")
    spark.conf.set("spark.sql.parser.escapedStringLiterals", escaped)
    try:
        assert spark.sql(f"SELECT {literal(text)}").collect()[0][0] == text
    finally:
        spark.conf.set("spark.sql.parser.escapedStringLiterals", before)
    if text and "$" not in text:
        assert spark.sql(f"SELECT 1 AS {quote(text)}").columns == [text]
