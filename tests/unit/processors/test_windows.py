from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from lupus_provider.errors import BadPlanError, BadReferenceError
from lupus_provider.periods import Period
from lupus_provider.processors.drift import DriftProcessor
from lupus_provider.processors.histograms import ColumnKey
from lupus_provider.processors.reference import Reference
from lupus_provider.processors.windows import MovingWindow, PreviousVersion, reference_from
from lupus_provider.records import HISTOGRAMS

START = datetime(2026, 1, 1, tzinfo=UTC)
METRICS = {"age": ["psi", "ks", "wasserstein_normed"], "device": ["linf"]}


def days(first, last):
    """Periods from the first to the last day, counted from 0, both included."""
    return [Period(START + timedelta(days=d), START + timedelta(days=d + 1)) for d in range(first, last + 1)]


def a_table(versions=None, n_days=6, n=150):
    rng = np.random.default_rng(8)
    parts = []
    for day in range(n_days):
        for version, shift in versions(day) if versions else [("v1", day * 2.0)]:
            parts.append(pa.table({
                "at": pa.array([START + timedelta(days=day, hours=3)] * n, pa.timestamp("us", tz="UTC")),
                "age": rng.normal(40 + shift, 10, n), "device": rng.choice(["ios", "web"], n), "version": [version] * n,
                "region": rng.choice(["JP", "TW"], n),
            }))  # fmt: skip
    return pa.concat_tables(parts)


TABLE = a_table()


def run(table, first, last, window, **options):
    processor = DriftProcessor(
        table,
        reference=window,
        column_metrics=METRICS,
        periods=days(first, last),
        time_column="at",
        group_sets=[[], ["region"]],
        **options,
    )
    metrics = processor.get_metrics(project="p", metric_set="m", run_id="r", collected_at=START)
    return values(metrics), processor.histograms()


def values(metrics):
    """(day, column, metric, group) → (value, n_rows)."""
    rows = metrics.to_arrow().to_pylist()
    assert [row["error"] for row in rows if row["error"]] == []
    return {
        ((row["period_start"] - START).days, row["column_name"], row["metric"], tuple(dict(row["group_key"]).items())): (row["value"], row["n_rows"])
        for row in rows if row["column_name"]
    }  # fmt: skip


def rounded(found):
    return {key: (value and round(value, 9), n) for key, (value, n) in found.items()}


def test_the_first_period_has_no_reference_and_says_its_rows():
    found, _ = run(TABLE, 0, 2, MovingWindow(periods=2))
    assert found[0, "age", "psi", ()] == (None, 150)
    assert found[0, "device", "linf", ()] == (None, 150)
    assert all(found[day, "age", "ks", ()][0] > 0 for day in (1, 2))


def test_a_period_is_compared_with_those_before_it():
    found, histograms = run(TABLE, 0, 5, MovingWindow(periods=2))
    bins = reference_from(histograms, "moving_window", [START + timedelta(days=6)])[START + timedelta(days=6)]
    window = bins.like(TABLE, periods=days(2, 3), time_column="at", group_sets=[[], ["region"]])
    fixed = DriftProcessor(
        TABLE,
        reference=window,
        column_metrics=METRICS,
        periods=days(4, 4),
        time_column="at",
        group_sets=[[], ["region"]],
    ).get_metrics()
    expected = {(4, *key[1:]): value for key, value in values(fixed).items()}
    assert rounded({key: value for key, value in found.items() if key[0] == 4}) == rounded(expected)


def test_day_after_day_from_stored_histograms_equals_one_scan():
    together, all_at_once = run(TABLE, 0, 5, MovingWindow(periods=3))
    bins = all_at_once.filter(
        pc.equal(all_at_once["period_start"], pa.scalar(START, HISTOGRAMS.schema.field("period_start").type))
    )
    stored = [bins]
    for day in range(1, 6):
        found, histograms = run(TABLE, day, day, MovingWindow(3, pa.concat_tables(stored)))
        assert rounded(found) == rounded({key: value for key, value in together.items() if key[0] == day})
        stored.append(histograms)
    assert HISTOGRAMS.digest(HISTOGRAMS.sort(pa.concat_tables(stored))) == HISTOGRAMS.digest(all_at_once)


def test_measuring_a_stored_period_again_changes_nothing():
    once, histograms = run(TABLE, 0, 5, MovingWindow(periods=3))
    again, same = run(TABLE, 0, 5, MovingWindow(3, histograms))
    assert once == again
    assert same.equals(histograms)


def test_periods_after_the_measured_one_are_not_looked_at():
    _, histograms = run(TABLE, 0, 5, MovingWindow(periods=3))
    before = histograms.filter(
        pc.less(histograms["period_start"], pa.scalar(START + timedelta(days=3), pa.timestamp("us", tz="UTC")))
    )
    assert run(TABLE, 3, 3, MovingWindow(3, histograms))[0] == run(TABLE, 3, 3, MovingWindow(3, before))[0]


def test_periods_without_values_do_not_use_up_the_window():
    gap = TABLE.filter(
        pc.not_equal(TABLE["at"], pa.scalar(START + timedelta(days=3, hours=3), pa.timestamp("us", tz="UTC")))
    )
    found, _ = run(gap, 0, 5, MovingWindow(periods=1))
    assert found[3, "age", "psi", ()] == (None, 0)
    assert found[4, "age", "ks", ()][0] > 0


def test_a_new_column_gets_bins_of_its_own_and_an_old_one_keeps_them():
    _, histograms = run(TABLE, 0, 2, MovingWindow())
    only_age = histograms.filter(pc.equal(histograms["column_name"], "age"))
    found, later = run(TABLE, 3, 4, MovingWindow(28, only_age))
    assert found[3, "device", "linf", ()][0] is None
    assert found[4, "device", "linf", ()][0] is not None
    lows = [set(part.filter(pc.equal(part["column_name"], "age"))["low"].to_pylist()) for part in (histograms, later)]
    assert lows[0] == lows[1]


def both_versions(day):
    return [("v9", 0.0)] * (day < 4) + [("v10", 10.0)] * (day >= 2)


def test_a_version_is_compared_with_the_one_before_it():
    table = a_table(both_versions)
    found, _ = run(table, 0, 5, PreviousVersion(periods=2), model_version_column="version")
    for day, known in ((0, None), (1, None)):
        assert found[day, "age", "psi", (("version", "v9"),)] == (known, 150)
    assert found[3, "age", "psi", (("version", "v9"),)][0] is None
    assert found[3, "age", "psi", ()] == (None, 300)
    old = table.filter(pc.equal(table["version"], "v9"))
    for day, past in ((2, (1, 2)), (5, (2, 3))):
        window = old.filter(
            pc.is_in(
                old["at"], pa.array([START + timedelta(days=d, hours=3) for d in past], pa.timestamp("us", tz="UTC"))
            )
        )
        now = table.filter(pc.and_(pc.equal(table["version"], "v10"), pc.equal(pc.day(table["at"]), day + 1)))
        exact = np.abs(
            np.subtract(
                *(
                    np.searchsorted(np.sort(side["age"].to_numpy()), table["age"].to_numpy(), "right") / len(side)
                    for side in (now, window)
                )
            )
        ).max()
        assert found[day, "age", "ks", (("version", "v10"),)][0] == pytest.approx(exact, abs=0.03)
        assert found[day, "age", "ks", (("region", "JP"), ("version", "v10"))][0] > 0.2


def test_versions_of_one_period_are_ordered_by_their_numbers():
    table = a_table(lambda day: [("v10", 10.0), ("v9", 0.0)], n_days=1)
    found, _ = run(table, 0, 0, PreviousVersion(), model_version_column="version")
    assert found[0, "age", "psi", (("version", "v9"),)][0] is None
    assert found[0, "age", "psi", (("version", "v10"),)][0] > 0.3


def test_versions_that_only_stored_histograms_know_are_references_too():
    table = a_table(both_versions)
    together, histograms = run(table, 0, 5, PreviousVersion(periods=2), model_version_column="version")
    assert set(histograms["model_version"].to_pylist()) == {None, "v9", "v10"}
    before = histograms.filter(
        pc.less(histograms["period_start"], pa.scalar(START + timedelta(days=4), pa.timestamp("us", tz="UTC")))
    )
    found, _ = run(table, 4, 5, PreviousVersion(2, before), model_version_column="version")
    assert rounded(found) == rounded({key: value for key, value in together.items() if key[0] >= 4})


def test_references_of_periods_are_a_pure_function_of_histograms():
    _, histograms = run(TABLE, 0, 3, MovingWindow())
    moments = [START, START + timedelta(days=2)]
    references = reference_from(histograms, "moving_window", moments, periods=1)
    assert references[moments[0]].columns == {}
    expected = reference_from(histograms, "moving_window", moments)[moments[1]].like(
        TABLE, periods=days(1, 1), time_column="at", group_sets=[[], ["region"]]
    )
    key = ColumnKey("age", None)
    count = {
        tuple(g.items()): row.tolist()
        for reference in (references[moments[1]],)
        for g, row in zip(reference.columns[key].group_keys, reference.columns[key].state["count"])
    }
    assert count == {
        tuple(g.items()): row.tolist()
        for g, row in zip(expected.columns[key].group_keys, expected.columns[key].state["count"])
    }


def test_histograms_with_other_bins_have_no_part():
    _, ours = run(TABLE, 1, 1, MovingWindow())
    _, others = run(a_table(lambda day: [("v1", 50.0)]), 0, 0, MovingWindow())
    found, _ = run(TABLE, 2, 2, MovingWindow(28, pa.concat_tables([others, ours])))
    alone, _ = run(TABLE, 2, 2, MovingWindow(28, ours))
    assert found[2, "age", "psi", ()] == alone[2, "age", "psi", ()]


def test_bins_come_from_the_newest_period_before():
    """Not from the future, and not from bins that were given up."""
    _, ours = run(TABLE, 1, 1, MovingWindow())
    others = [run(a_table(lambda day: [("v1", 50.0)]), day, day, MovingWindow())[1] for day in (0, 5)]
    found, histograms = run(TABLE, 2, 2, MovingWindow(28, pa.concat_tables([*others, ours])))
    assert found == run(TABLE, 2, 2, MovingWindow(28, ours))[0]
    assert set(histograms["low"].to_pylist()) == set(ours["low"].to_pylist())


def test_a_version_is_not_compared_with_what_came_after():
    table = a_table(both_versions)
    together, histograms = run(table, 0, 5, PreviousVersion(periods=2), model_version_column="version")
    again, _ = run(table, 2, 2, PreviousVersion(2, histograms), model_version_column="version")
    before = histograms.filter(
        pc.less(histograms["period_start"], pa.scalar(START + timedelta(days=2), pa.timestamp("us", tz="UTC")))
    )
    found, _ = run(table, 2, 2, PreviousVersion(2, before), model_version_column="version")
    assert rounded(again) == rounded(found) == rounded({key: value for key, value in together.items() if key[0] == 2})


def test_half_a_period_of_histograms_is_told():
    _, histograms = run(TABLE, 0, 0, MovingWindow())
    with pytest.raises(BadReferenceError, match="lack some of their bins"):
        run(TABLE, 1, 1, MovingWindow(28, histograms.filter(pc.greater(histograms["bin"], 1))))


def test_wrong_windows_are_told_at_once():
    with pytest.raises(BadPlanError, match="1 or more"):
        MovingWindow(0)
    with pytest.raises(BadPlanError, match="model_version_column"):
        DriftProcessor(TABLE, reference=PreviousVersion(), column_metrics=METRICS)


def test_a_reference_of_no_column_says_so():
    found = DriftProcessor(TABLE, reference=Reference({}), column_metrics={"age": ["psi"]}).get_metrics()
    assert found.errors["error"].to_pylist() == [
        "'psi' compares with a reference, and the reference has no column 'age'. Build the reference with that column."
    ]
