"""All ways to place a value on Spark say what NumPy says, many columns in one scan, and one that fails costs no other."""

from __future__ import annotations

import logging

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from lupus_provider.engines import spark_bins
from lupus_provider.engines.spark import SparkEngine
from lupus_provider.metrics.bins import NumericBins, even_bins
from lupus_provider.metrics.grammar import parse_metric
from lupus_provider.metrics.plan import Measure, Refused, make_plan
from lupus_provider.processors import DistributionProcessor

NUMBERS = st.one_of(
    st.floats(-1e3, 1e3, allow_subnormal=False), st.sampled_from([0.0, 1e-12, 1e300, -1e300, 1.7e308, -1.7e308])
)
EDGES = st.lists(NUMBERS, min_size=1, max_size=70, unique=True).map(lambda edges: NumericBins(tuple(sorted(edges))))
HISTOGRAM = parse_metric("histogram")


def around(bins: NumericBins) -> np.ndarray:
    """Values at, next to and between edges, and far outside."""
    edges = np.array(bins.edges)
    sides = [np.nextafter(edges, side) for side in (-np.inf, np.inf)]
    return np.concatenate([edges, *sides, edges[:-1] / 2 + edges[1:] / 2, [-1.79e308, 1.79e308, 0.0]])


def counted(session, by_way, listed: list[NumericBins]) -> list[dict[float, int]]:
    """Value → bin of each column, by one way, all columns in one query."""
    rows = pa.concat_tables(
        [
            pa.table({"lupus_which": pa.array([i] * len(values), pa.int32()), "lupus_v": values})
            for i, bins in enumerate(listed)
            for values in [np.unique(around(bins) + 0.0)]
        ]
    )
    session.createDataFrame(rows).createOrReplaceTempView("bins_rows")
    place, query = by_way("SELECT * FROM bins_rows", listed)
    found = session.sql(f"SELECT lupus_which, lupus_v, {place} AS bin FROM ({query}) AS q").toArrow().to_pylist()
    return [{row["lupus_v"]: row["bin"] for row in found if row["lupus_which"] == i} for i in range(len(listed))]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(listed=st.lists(EDGES, min_size=1, max_size=4))
def test_a_search_by_halves_finds_the_bin_of_every_value(local, listed):
    for bins, found in zip(listed, counted(local, spark_bins._by_search, listed)):
        values = np.array(list(found))
        assert list(found.values()) == np.searchsorted(bins.edges, values, side="right").tolist()


def test_each_kind_of_bins_goes_its_way_and_all_ways_agree(local):
    close = NumericBins((-1.7e308, 0.0, 1e-9, 2e-9, 1.7e308))
    kinds = {
        "_by_arithmetic": even_bins(-3.0, 5.0, 40), "_by_cells": NumericBins((0.0, 0.26, 0.5, 0.74, 1.0)),
        "_by_pairs": NumericBins((0.0, 1e-9, 1.0)), "_by_search": close,
    }  # fmt: skip
    for name, bins in kinds.items():
        assert spark_bins._way(bins).__name__ == name
        (own,) = counted(local, spark_bins._way(bins), [bins])
        (searched,) = counted(local, spark_bins._by_search, [bins])
        assert own == searched, name


def test_a_histogram_that_fails_is_found_by_halves_and_all_others_come(local, caplog, monkeypatch):
    names = [f"x{i}" for i in range(7)]
    good = [f"CAST(id + {i} AS DOUBLE) AS {name}" for i, name in enumerate(names) if name != "x4"]
    frame = local.range(50).selectExpr(*good, "CAST(raise_error(concat('odd ', id)) AS DOUBLE) AS x4")
    measures = [Measure((name,), HISTOGRAM, bins=NumericBins((10.0, 20.0))) for name in names]
    queries = []
    together = spark_bins.BinsRun._together
    monkeypatch.setattr(
        spark_bins.BinsRun,
        "_together",
        lambda self, subjects, *rest: queries.append(len(subjects)) or together(self, subjects, *rest),
    )
    with caplog.at_level(logging.WARNING):
        answers = list(SparkEngine(frame).answers(make_plan({}, measures=measures)))
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert [answer.measure.column for answer in refused] == ["x4"]
    assert "odd" in refused[0].reason
    found = [m for a in answers if not isinstance(a, Refused) for ms in a.measures.values() for m in ms]
    served = [measure.column for measure in found if measure.columns]
    assert sorted(served) == [name for name in names if name != "x4"]
    assert queries[0] == 7
    assert 1 in queries


def test_a_spread_that_fails_leaves_histograms_of_a_processor_as_points(local):
    frame = local.range(30).selectExpr("id * 1.0D AS a", "CAST(raise_error('odd') AS DOUBLE) AS b")
    metrics = DistributionProcessor(frame, column_metrics={"a": ["histogram"], "b": ["histogram"]}).get_metrics()
    told = metrics.to_arrow().to_pylist()
    assert {row["column_name"] for row in told if row["error"]} == {"b"}
    assert sum(row["value"] for row in told if row["column_name"] == "a") == pytest.approx(30)
