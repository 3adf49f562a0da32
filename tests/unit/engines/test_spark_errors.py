from __future__ import annotations

import pytest

from lupus_provider.engines.spark_errors import failures, is_query_fault, one_line, quiet, sql_state

QUERIES = {
    "SELECT sum(1 / (id - 5)) FROM range(10)": ("Division by zero", "22012"),
    "SELECT sum(CAST(concat('x', id * 0) AS INT)) FROM range(10)": (
        'The value \'x0\' of the type "STRING" cannot be cast to "INT" because it is malformed',
        "22018",
    ),
    "SELECT sum(id + 9223372036854775807) FROM range(9)": ("overflow", "22003"),
    "SELECT agee FROM (SELECT 1 AS age)": (
        "A column, variable, or function parameter with name `agee` cannot be resolved. Did you mean one of the following? [`age`]",
        "42703",
    ),
    "SELECT (": ("Syntax error at or near end of input", "42601"),
    "SELECT raise_error('my words')": ("my words", "P0001"),
}


@pytest.mark.parametrize("query", QUERIES)
def test_a_failing_query_is_told_in_one_line_and_is_its_own_fault(spark, query, capfd):
    with quiet(), pytest.raises(failures()) as caught:
        spark.sql(query).toArrow()
    assert (one_line(caught.value), sql_state(caught.value)) == QUERIES[query]
    assert is_query_fault(caught.value)
    assert "SQLQueryContextLogger" not in capfd.readouterr().err


def test_of_a_function_that_throws_its_own_words_are_told(spark):
    from pyspark.sql.types import LongType

    def boom(value):  # inside, so that it travels by value
        raise ValueError("cannot bear " + str(value * 0))

    spark.udf.register("boom", boom, LongType())
    with quiet(), pytest.raises(failures()) as caught:
        spark.sql("SELECT sum(boom(id)) FROM range(3)").toArrow()
    assert one_line(caught.value) == "a function of the query failed: ValueError: cannot bear 0"
    assert is_query_fault(caught.value)


def test_a_file_that_goes_away_is_not_the_querys_fault(spark, tmp_path):
    spark.sql("SELECT 1 AS x").write.parquet(str(tmp_path / "x"))
    frame = spark.read.parquet(str(tmp_path / "x"))
    assert frame.columns == ["x"]
    for file in (tmp_path / "x").iterdir():
        file.unlink()
    with quiet(), pytest.raises(failures()) as caught:
        frame.toArrow()
    assert not is_query_fault(caught.value)
    assert "\n" not in one_line(caught.value)
    assert "SQLSTATE" not in one_line(caught.value)


def test_other_errors_have_a_line_too():
    assert one_line(ValueError("")) == "ValueError"
    assert one_line(ValueError("a thing.\nmore")) == "a thing"
    assert (
        one_line(
            RuntimeError("An error occurred while calling o1.x.\n: java.lang.OutOfMemoryError: Java heap space\n\tat x")
        )
        == "Java heap space"
    )
    assert not is_query_fault(RuntimeError("x"))
