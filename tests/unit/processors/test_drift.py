from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from scipy import stats

from lupus_provider.errors import BadPlanError, UnknownMetricError
from lupus_provider.periods import Period
from lupus_provider.processors.drift import DriftProcessor
from lupus_provider.processors.reference import Reference
from lupus_provider.records import HISTOGRAMS

rng = np.random.default_rng(7)
PAST = pa.table({
    "region": rng.choice(["JP", "TW"], 4000), "age": rng.normal(40, 10, 4000), "device": rng.choice(["ios", "web"], 4000, p=[0.7, 0.3]),
    "store": rng.integers(0, 5, 4000), "member": rng.random(4000) < 0.2, "items": [["a", "b"], ["b", "c"]] * 2000,
})  # fmt: skip
NOW = pa.table({
    "region": rng.choice(["JP", "KR"], 900), "age": rng.normal(43, 10, 900), "device": rng.choice(["ios", "web", "tv"], 900),
    "store": rng.integers(0, 5, 900), "member": rng.random(900) < 0.5, "items": [["a", "c"], ["a"], [], None, ["b", None, "b"]] * 180,
})  # fmt: skip


def measure(now=NOW, past=PAST, **options):
    return DriftProcessor(now, reference=past, **options).get_metrics()


def by_period(metrics, metric, column="age"):
    """Values of a metric of the whole, oldest first."""
    rows = [r for r in metrics.to_arrow().to_pylist() if (r["column_name"], r["metric"]) == (column, metric)]
    return [row["value"] for row in rows if not row["group_key"]]


def test_a_table_against_scipy():
    metrics = measure(
        column_metrics={"age": ["ks", "wasserstein", "wasserstein_normed"], "device": ["chi2", "chi2_pvalue", "linf"]}
    )
    past, now = PAST["age"].to_numpy(), NOW["age"].to_numpy()
    assert metrics.value("age", "ks") == pytest.approx(stats.ks_2samp(now, past).statistic, abs=0.01)
    far = stats.wasserstein_distance(now, past)
    assert metrics.value("age", "wasserstein") == pytest.approx(far, abs=0.01)
    assert metrics.value("age", "wasserstein_normed") == pytest.approx(
        metrics.value("age", "wasserstein") / past.std(ddof=1)
    )
    shares = [[(table["device"].to_numpy() == name).sum() for name in ("ios", "web", "tv")] for table in (NOW, PAST)]
    expected = stats.chi2_contingency(shares, correction=False)
    assert metrics.value("device", "chi2") == pytest.approx(expected.statistic)
    assert metrics.value("device", "chi2_pvalue") == pytest.approx(expected.pvalue)
    assert metrics.value("device", "linf") == pytest.approx(0.7 - 1 / 3, abs=0.05)


def test_groups_are_compared_with_the_same_group_and_unknown_ones_are_undefined():
    metrics = measure(column_metrics={"age": ["ks", "psi"]}, group_sets=[[], ["region"]])
    only = [table.filter(pc.equal(table["region"], "JP")) for table in (NOW, PAST)]
    expected = stats.ks_2samp(*(table["age"].to_numpy() for table in only)).statistic
    assert metrics.value("age", "ks", region="JP") == pytest.approx(expected, abs=0.02)
    assert metrics.value("age", "psi", region="KR") is None
    row = next(
        r for r in metrics.to_arrow().to_pylist() if dict(r["group_key"]) == {"region": "KR"} and r["metric"] == "psi"
    )
    assert row["n_rows"] == pc.sum(pc.equal(NOW["region"], "KR")).as_py()
    assert row["error"] is None


def test_every_distance_of_a_table_to_itself_is_zero():
    names = ["psi", "js", "js_distance", "kl", "hellinger", "linf", "chi2", "ks", "wasserstein", "wasserstein_normed"]
    metrics = measure(
        PAST,
        PAST,
        column_metrics={"age": names, "store": names, "member": names, "device": names[:7], "items": names[:7]},
    )
    values = [r["value"] for r in metrics.to_arrow().to_pylist() if r["metric"] in names]
    assert len(values) == 44
    assert max(values) < 1e-9


def test_lists_are_compared_by_their_items_and_at_k_by_the_first():
    past, now = (
        pa.table({"items": [["a", "b"], ["b", "a"]]}),
        pa.table({"items": [["a", "b"], ["a", "b"], [None, "b"], None, []]}),
    )
    metrics = measure(now, past, column_metrics={"items": ["linf", "linf@1"]})
    assert metrics.value("items", "linf") == pytest.approx(3 / 5 - 1 / 2)
    assert metrics.value("items", "linf@1") == pytest.approx(0.5)


def test_numbers_that_are_names_are_compared_by_category():
    past, now = pa.table({"store": [1, 1, 2, 2]}), pa.table({"store": [1, 1, 1, 9]})
    metrics = measure(now, past, column_metrics={"store": ["linf", "ks"]}, categorical=["store"])
    assert metrics.value("store", "linf") == 0.5
    assert (
        metrics.errors["error"]
        .to_pylist()[0]
        .startswith("'ks' needs numbers, and column 'store' is compared by category.")
    )


def test_unseen_categories_fall_into_the_rest():
    past, now = pa.table({"c": ["a"] * 6 + ["b"] * 3 + ["x"]}), pa.table({"c": ["a", "b", "new", None]})
    reference = Reference.of(past, ["c"], max_categories=2)
    assert reference.bins(("c", None)).categories == ("a", "b")
    assert measure(now, reference, column_metrics={"c": ["linf"]}).value("c", "linf") == pytest.approx(0.6 - 1 / 3)


def test_what_cannot_be_compared_is_a_point_with_error_and_the_rest_stands():
    metrics = measure(column_metrics={"device": ["ks", "psi"], "nothing": ["psi"], "age": ["psi"]})
    by_category, lacking = sorted(metrics.errors["error"].to_pylist())
    assert by_category.startswith(
        "'ks' needs numbers, and column 'device' is compared by category. Ask for one of chi2, "
    )
    assert lacking.startswith(
        "'psi' compares with a reference, and the reference has no column 'nothing': column 'nothing' is not in"
    )
    assert metrics.value("age", "psi") > 0
    assert metrics.value("device", "psi") > 0


def test_a_column_that_only_the_reference_has_is_a_point_with_error():
    metrics = measure(NOW.drop_columns(["age"]), PAST, column_metrics={"age": ["psi"], "device": ["psi"]})
    assert metrics.errors["column_name"].to_pylist() == ["age"]
    assert metrics.value("device", "psi") > 0


@pytest.mark.parametrize("past", [[None, None], [], [3.0, 3.0, 3.0]])
@pytest.mark.parametrize("now", [[None], [], [3.0], [1.0, 5.0, math.nan]])
def test_columns_of_nothing_and_of_one_value(past, now):
    tables = (pa.table({"x": pa.array(values, pa.float64())}) for values in (now, past))
    metrics = measure(*tables, column_metrics={"x": ["psi", "ks", "wasserstein"]})
    assert len(metrics.errors) == 0
    known = past[:1] == [3.0] and any(v is not None for v in now)
    expected = (
        {(3.0,): (0, 0), (1.0, 5.0): (0.5, 2)}.get(tuple(v for v in now if v is not None and v == v))
        if known
        else (None, None)
    )
    assert (metrics.value("x", "ks"), metrics.value("x", "wasserstein")) == expected
    assert (metrics.value("x", "psi") is None) is not known


def test_metrics_of_the_distribution_family_come_from_the_same_scan():
    metrics = measure(column_metrics={"age": ["psi", "avg"]}, table_metrics=["row_count"])
    assert metrics.value("age", "avg") == pytest.approx(NOW["age"].to_numpy().mean())
    assert metrics.value("", "row_count") == 900


def test_more_bins_are_finer(tmp_path):
    few, many = (measure(column_metrics={"age": ["psi"]}, bins=bins).value("age", "psi") for bins in (5, 50))
    assert many > few


def test_the_reference_may_be_a_table_a_path_of_one_a_reference_or_a_saved_one(tmp_path):
    pq.write_table(PAST, tmp_path / "past.parquet")
    reference = Reference.of(PAST, ["age"])
    reference.save(tmp_path / "reference.parquet")
    kinds = [
        PAST,
        str(tmp_path / "past.parquet"),
        reference,
        tmp_path / "reference.parquet",
        str(tmp_path / "reference.parquet"),
    ]
    assert len({measure(NOW, kind, column_metrics={"age": ["psi"]}).value("age", "psi") for kind in kinds}) == 1


def test_a_reference_table_is_measured_once(monkeypatch):
    processor = DriftProcessor(NOW, reference=PAST, column_metrics={"age": ["psi"]})
    first = processor.get_metrics().value("age", "psi")
    monkeypatch.setattr(Reference, "of", None)
    assert processor.get_metrics().value("age", "psi") == first


def test_versions_are_compared_with_the_group_of_a_reference_that_knows_none():
    now = NOW.append_column("version", pa.array(["v1", "v2"] * 450))
    metrics = measure(now, PAST, column_metrics={"age": ["ks"]}, model_version_column="version")
    assert metrics.value("age", "ks", version="v2") is not None


def test_many_periods_in_one_scan_equal_one_after_the_other():
    days = [Period(datetime(2026, 1, d, tzinfo=UTC), datetime(2026, 1, d + 1, tzinfo=UTC)) for d in (1, 2, 3)]
    moments = [days[i % 3].start + timedelta(hours=1) for i in range(900)]
    now = NOW.append_column("at", pa.array(moments, pa.timestamp("us", tz="UTC")))
    together = measure(now, PAST, column_metrics={"age": ["psi", "wasserstein"]}, periods=days, time_column="at")
    apart = [
        measure(NOW.take(pa.array(range(i, 900, 3))), PAST, column_metrics={"age": ["psi", "wasserstein"]})
        for i in range(3)
    ]
    for metric in ("psi", "wasserstein"):
        assert by_period(together, metric) == [metrics.value("age", metric) for metrics in apart]


def test_histograms_of_a_call_follow_the_schema_and_add_up():
    processor = DriftProcessor(
        NOW, reference=PAST, column_metrics={"age": ["ks"], "device": ["psi"]}, group_columns=["region"]
    )
    with pytest.raises(BadPlanError, match="Measure first"):
        processor.histograms()
    processor.get_metrics(project="p", metric_set="m", run_id="r")
    rows = processor.histograms()
    assert rows.schema == HISTOGRAMS.schema
    assert rows.equals(HISTOGRAMS.sort(rows))
    assert HISTOGRAMS.digest(rows)
    jp = [r for r in rows.to_pylist() if dict(r["group_key"]) == {"region": "JP"} and r["column_name"] == "device"]
    assert sum(r["count"] for r in jp) == pc.sum(pc.equal(NOW["region"], "JP")).as_py()


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"column_metrics": {"age": ["psy"]}}, UnknownMetricError, "psi"),
        ({"column_metrics": {"age": "psi"}}, BadPlanError, "list"),
        ({"column_metrics": {"age": ["psi"]}, "bins": 1}, BadPlanError, "2 to 100"),
        ({"column_metrics": {"age": ["psi"]}, "reference": None}, BadPlanError, "Give a table"),
    ],
)
def test_wrong_arguments_are_told_at_once(options, error, words):
    with pytest.raises(error, match=words):
        DriftProcessor(NOW, **{"reference": PAST, **options})
