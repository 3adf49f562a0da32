from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from lupus_provider.processors.histograms import ColumnKey
from lupus_provider.processors.quantiles import Cells, quantiles_of

FRACTIONS = np.arange(1, 100) / 100
rng = np.random.default_rng(3)
N = 4000
ATOM = np.where(rng.random(N) < 0.4, 1 / 3, rng.normal(0, 1, N))
COLUMNS = {
    "normal": rng.normal(40, 10, N), "lognormal": np.exp(rng.normal(0, 3, N)), "cauchy": rng.standard_cauchy(N), "atom": ATOM,
    "outlier": np.concatenate([rng.random(N - 1), [1e300]]), "close": 1e16 + rng.integers(0, 5, N) * 2.0, "wide": rng.choice([-1e308, 1e308], N),
}  # fmt: skip


def found(values):
    table = pa.table({"x": pa.array(values, pa.float64())})
    return quantiles_of(table, [ColumnKey("x", None)], FRACTIONS, 0.005, {})[ColumnKey("x", None)]


@pytest.mark.parametrize("name", COLUMNS)
def test_a_quantile_is_wrong_by_less_than_half_a_percent_of_the_ranks(name):
    values = np.sort(COLUMNS[name])
    quantiles = found(values)
    below, upto = (np.searchsorted(values, quantiles, side=side) / N for side in ("left", "right"))
    assert (below <= FRACTIONS + 0.0051).all()
    assert (upto >= FRACTIONS - 0.0051).all()


def test_quantiles_of_few_distinct_values_are_exact():
    values = rng.integers(0, 7, N).astype(float)
    assert found(values).tolist() == np.percentile(values, np.arange(1, 100)).tolist()


def test_infinite_values_have_their_share_and_nan_has_none():
    values = [-math.inf] * 10 + [math.nan] * 50 + [1.0] * 80 + [math.inf] * 10
    quantiles = found(values)
    assert np.isnan(quantiles[:9]).all()
    assert set(quantiles[10:89].tolist()) == {1.0}
    assert np.isnan(quantiles[90:]).all()


@pytest.mark.parametrize("values", [[], [None, None], [math.nan]])
def test_no_values_have_no_quantiles(values):
    assert np.isnan(found(values)).all()


def test_what_is_no_number_says_so():
    answer = quantiles_of(pa.table({"x": ["a"]}), [ColumnKey("x", None), ColumnKey("y", None)], FRACTIONS, 0.005, {})
    assert "does not measure columns of type VARCHAR" in answer[ColumnKey("x", None)]
    assert "'y' is not in the table" in answer[ColumnKey("y", None)]


def test_cells_that_are_cut_keep_every_value():
    cells = Cells(np.array([2.0, 50, 3]), np.array([0.0, 1, 9]), np.array([0.5, 8, 9]))
    heavy = cells.heavy(0.5)
    assert heavy.tolist() == [1]
    inside = Cells(np.array([5.0, 20, 30]), np.array([0.0, 1, 4]), np.array([0.5, 3, 8]))
    assert cells.refined(heavy, inside).count.tolist() == [2, 20, 30, 3]
