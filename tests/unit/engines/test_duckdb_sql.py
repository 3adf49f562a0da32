from __future__ import annotations

import math
import random

import duckdb
import pytest

from lupus_provider.engines.duckdb_sql import column_type, is_entity, literal, quote
from lupus_provider.engines.duckdb_sums import exact_sum
from lupus_provider.metrics import Kind


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


def test_whole_numbers_and_texts_are_entities_and_fractions_are_not():
    assert all(
        is_entity(column_type(name))
        for name in ("INTEGER", "BIGINT[]", "VARCHAR", "BOOLEAN", "ENUM('DOUBLE', 'FLOAT')", '"NULL"')
    )
    assert not any(is_entity(column_type(name)) for name in ("DOUBLE", "FLOAT[]", "DECIMAL(5,2)"))


@pytest.mark.parametrize("text", ["a", 'a"b', "a'b", "'; DROP TABLE x; --", "é 日本", "a\nb", ""])
def test_quoted_text_is_read_back_as_it_was(text):
    assert duckdb.sql(f"SELECT {literal(text)}").fetchall() == [(text,)]
    if text:
        assert duckdb.sql(f"SELECT 1 AS {quote(text)}").columns == [text]


def total(values):
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE numbers (x DOUBLE)")
        connection.executemany("INSERT INTO numbers VALUES (?)", [(v,) for v in values] or [(None,)])
        return connection.sql(f"SELECT {exact_sum('x')} FROM numbers").fetchall()[0][0]


@pytest.mark.parametrize(
    "values",
    [
        [0.1] * 10, [1e15 + 0.5, -1e15], [1e30, 1.0, -1e30], [1e100, 1.0, -1e100, 0.0], [1e-300, 2e-300], [5e-324, 5e-324], [-0.0], [0.0],
        [2.0**62, -1.0], [2.0**102, 2.0**101, -(2.0**102)], [1e300, 1e300, -1e300], [1e-20] * 7, [3.5, -2.25, 1e-9], [2.0**103 - 2.0**60],
    ],
)  # fmt: skip
def test_a_sum_of_doubles_is_right_where_a_running_sum_would_round(values):
    scale = max(map(abs, values))
    assert math.isclose(
        total(values), math.fsum(values), rel_tol=1e-15, abs_tol=scale * 1e-16 if scale >= 2.0**102 else 1e-30
    )


def test_a_sum_follows_the_rules_of_infinity():
    assert total([math.inf, 1.0]) == math.inf
    assert total([-math.inf, 1e300]) == -math.inf
    assert math.isnan(total([math.inf, -math.inf]))
    assert total([1e308, 1e308]) == math.inf
    assert total([]) is None


def test_a_sum_does_not_depend_on_the_order_of_rows():
    chance = random.Random(7)
    values = [chance.uniform(-1, 1) * 10.0 ** chance.randint(-12, 12) for _ in range(300)]
    found = {total(chance.sample(values, len(values))) for _ in range(8)}
    assert len(found) == 1
    assert math.isclose(found.pop(), math.fsum(values), rel_tol=1e-14)
