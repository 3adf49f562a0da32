from __future__ import annotations

import duckdb
import numpy as np
from hypothesis import given, settings, strategies as st

from lupus_provider.engines.sql.duckdb import DuckDBDialect
from lupus_provider.engines.sql.placement import Cells, placed
from lupus_provider.metrics.bins import NumericBins, even_bins

NUMBERS = st.one_of(
    st.floats(-1e3, 1e3, allow_subnormal=False), st.sampled_from([0.0, 1e-12, 1e300, -1e300, 1.7e308, -1.7e308])
)
EDGES = st.lists(NUMBERS, min_size=1, max_size=60, unique=True).map(sorted)


def around(edges):
    """Values at, next to and between edges, and far outside."""
    edges = np.array(edges)
    sides = [np.nextafter(edges, side) for side in (-np.inf, np.inf)]
    return np.concatenate([edges, *sides, edges[:-1] / 2 + edges[1:] / 2, [-np.inf, np.inf, 0.0]])


def in_sql(bins, values):
    query = placed(DuckDBDialect(), bins, "x", "FROM rows WHERE x IS NOT NULL", "bin")
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE rows AS SELECT unnest(?::DOUBLE[]) AS x", [values.tolist()])
        found = dict(connection.execute(f"SELECT x, bin FROM ({query}) AS placed").fetchall())
    return [found[value] for value in values.tolist()]


@settings(max_examples=30, deadline=None)
@given(EDGES)
def test_sql_places_values_as_the_edges_say(edges):
    values = around(edges)
    assert in_sql(NumericBins(tuple(edges)), values) == np.searchsorted(edges, values, side="right").tolist()


@settings(max_examples=30, deadline=None)
@given(NUMBERS, NUMBERS, st.integers(2, 300))
def test_even_bins_are_the_same_by_arithmetic_and_by_their_edges(low, high, number):
    bins = even_bins(min(low, high), max(low, high), number)
    assert all(a < b for a, b in zip(bins.edges, bins.edges[1:]))
    values = around(bins.edges)
    assert in_sql(bins, values) == np.searchsorted(bins.edges, values, side="right").tolist()


def test_edges_that_lie_apart_have_cells_and_others_are_compared():
    assert Cells.of(np.linspace(0, 1, 99).tolist()) is not None
    assert Cells.of([0.0, 1e-9, 1.0]) is not None
    assert Cells.of([0.0, 1e-9, 2e-9, 1.0]) is None
    assert Cells.of([-1.7e308, 0.0, 1.7e308]) is None
    assert even_bins(0.0, 1.0, 1024).even is not None
