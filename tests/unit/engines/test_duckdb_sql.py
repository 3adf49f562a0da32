from __future__ import annotations

import math
import random
from fractions import Fraction

import duckdb
import pyarrow as pa
import pytest

from lupus_provider.engines.duckdb_types import column_type
from lupus_provider.engines.sql.duckdb import DuckDBDialect
from lupus_provider.metrics import Kind
from lupus_provider.processors import DistributionProcessor

literal, quote = DuckDBDialect().literal, DuckDBDialect().quote


@pytest.mark.parametrize(
    ("name", "kind", "is_list"),
    [
        ("BOOLEAN", Kind.BOOL, False), ("TINYINT", Kind.NUMBER, False), ("UBIGINT", Kind.NUMBER, False), ("HUGEINT", Kind.NUMBER, False),
        ("UHUGEINT", Kind.NUMBER, False), ("INTEGER", Kind.NUMBER, False), ("DECIMAL(18,3)", Kind.NUMBER, False), ("FLOAT", Kind.NUMBER, False),
        ("FLOAT[3]", Kind.NUMBER, True), ("DOUBLE[]", Kind.NUMBER, True), ("INTEGER[][]", Kind.OTHER, True), ("VARCHAR", Kind.TEXT, False),
        ("UUID", Kind.TEXT, False), ("ENUM('a[]', 'DOUBLE')", Kind.TEXT, False), ("DATE", Kind.TIME, False), ("TIMESTAMP_NS", Kind.TIME, False),
        ("TIMESTAMP WITH TIME ZONE[]", Kind.TIME, True), ("TIME", Kind.OTHER, False), ("INTERVAL", Kind.OTHER, False), ("BLOB", Kind.OTHER, False),
        ("MAP(VARCHAR, INTEGER)", Kind.OTHER, False), ("STRUCT(a INTEGER[])", Kind.OTHER, False), ("STRUCT(a INTEGER)[]", Kind.OTHER, True),
        ('"NULL"', Kind.ANY, False), ('"NULL"[]', Kind.ANY, True),
    ],
)  # fmt: skip
def test_types_fall_into_kinds(name, kind, is_list):
    found = column_type(name)
    assert (found.kind, found.is_list, found.name) == (kind, is_list, name)


def test_only_floats_can_be_nan_and_only_whole_numbers_name_things():
    stored = {
        name: column_type(name).number
        for name in ("INTEGER", "BIGINT[]", "DOUBLE", "FLOAT[3]", "DECIMAL(5,2)", "VARCHAR", "BOOLEAN")
    }
    assert stored == {
        "INTEGER": "integer", "BIGINT[]": "integer", "DOUBLE": "float", "FLOAT[3]": "float", "DECIMAL(5,2)": "decimal", "VARCHAR": "", "BOOLEAN": "",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["a", 'a"b', "a'b", "'; DROP TABLE x; --", "é 日本", "a\nb", ""])
def test_quoted_text_is_read_back_as_it_was(text):
    assert duckdb.sql(f"SELECT {literal(text)}").fetchall() == [(text,)]
    if text:
        assert duckdb.sql(f"SELECT 1 AS {quote(text)}").columns == [text]


def total(values, metric="sum"):
    table = pa.table({"x": pa.array(values, pa.float64())})
    return DistributionProcessor(table, column_metrics={"x": [metric]}).get_metrics()


@pytest.mark.parametrize(
    "values",
    [
        [0.1] * 10, [1e15 + 0.5, -1e15], [1e30, 1.0, -1e30], [1e100, 1.0, -1e100, 0.0], [1e-300, 2e-300], [-0.0], [0.0],
        [2.0**62, -1.0], [2.0**102, 2.0**101, -(2.0**102)], [1e300, 1e300, -1e300], [1e-20] * 7, [3.5, -2.25, 1e-9], [2.0**103 - 2.0**60],
        [1e-100, 2.0**140, 3e-99], [1e100] * 3,
    ],
)  # fmt: skip
def test_a_sum_of_doubles_is_rounded_once(values):
    scale = max(map(abs, values))
    assert math.isclose(
        total(values).value("x", "sum"), math.fsum(values), rel_tol=0, abs_tol=max(scale * 2.0**-300, 2.0**-390)
    )


@pytest.mark.parametrize(
    "values",
    [[1e8 + 1, 1e8 + 2, 1e8 + 3], [1e15, 1e15 + 1], [0.1, 0.2, 0.3], [1e-30, 3e-30], [1e60, 2e60, 1.0], [5.0, 5.0], [1e140, -1e140, 3.0], [1e-103, 3e-103]],
)  # fmt: skip
def test_a_variance_is_exact_however_far_the_values_lie_from_zero(values):
    exact = [Fraction(v) for v in values]
    mean = sum(exact) / len(exact)
    want = float(sum((v - mean) ** 2 for v in exact) / (len(exact) - 1))
    assert math.isclose(total(values, "variance").value("x", "variance"), want, rel_tol=1e-15, abs_tol=0)


def test_a_sum_follows_the_rules_of_infinity():
    for values in ([math.inf, 1.0], [-math.inf, 1e300], [1e308, 1e308]):
        assert "infinite" in total(values).errors["error"][0].as_py()
    for values in ([math.inf, -math.inf], []):
        assert total(values).value("x", "sum") is None
        assert total(values).errors.num_rows == 0


def test_a_sum_does_not_depend_on_the_order_of_rows():
    chance = random.Random(7)
    values = [chance.uniform(-1, 1) * 10.0 ** chance.randint(-12, 12) for _ in range(300)]
    found = {total(chance.sample(values, len(values))).value("x", "sum") for _ in range(8)}
    assert found == {math.fsum(values)}
