from __future__ import annotations

import os
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lupus_provider.errors import BadPlanError, BadReferenceError
from lupus_provider.periods import Period
from lupus_provider.processors.histograms import STATE, ColumnKey
from lupus_provider.processors.reference import Reference, column_keys, is_saved_reference

AGE, DEVICE = ColumnKey("age", None), ColumnKey("device", None)
COLUMNS = ["age", "device", "items@1", "user.age"]


def table(seed, n=500, shift=0.0):
    rng = np.random.default_rng(seed)
    return pa.table({
        "region": pa.array([[None, "JP", "TW"][i % 3] for i in range(n)], pa.string()), "age": rng.normal(40 + shift, 10, n),
        "device": rng.choice(["ios", "web"], n), "items": [["a", "b"]] * n, "user": [{"age": i % 7} for i in range(n)],
        "at": pa.array([datetime(2026, 1, 1 + i % 3, tzinfo=UTC) for i in range(n)], pa.timestamp("us", tz="UTC")),
    })  # fmt: skip


def groups(reference, key):
    """Group → name of the state → one number a bin."""
    histograms = reference.columns[key]
    return {
        tuple(group.items()): {name: histograms.state[name][i] for name in STATE}
        for i, group in enumerate(histograms.group_keys)
    }


def assert_equal(left, right, *, rounding=0.0):
    assert left.columns.keys() == right.columns.keys()
    for key in left.columns:
        assert left.columns[key].bins == right.columns[key].bins
        ours, theirs = groups(left, key), groups(right, key)
        assert ours.keys() == theirs.keys()
        for group, state in ours.items():
            for name in STATE:
                np.testing.assert_allclose(
                    state[name], theirs[group][name], rtol=rounding if name in ("sum", "variance") else 0
                )


def test_it_is_the_same_after_it_was_saved_and_loaded(tmp_path):
    reference = Reference.of(table(1), [*COLUMNS, "nothing"], group_sets=[[], ["region"]])
    reference.save(tmp_path / "reference.parquet")
    loaded = Reference.load(tmp_path / "reference.parquet")
    assert_equal(reference, loaded)
    assert loaded.refused == reference.refused
    assert "'nothing' is not in the table" in loaded.refused[ColumnKey("nothing", None)]
    assert os.listdir(tmp_path) == ["reference.parquet"]
    assert {(("region", None),), (("region", "JP"),), ()} <= groups(loaded, AGE).keys()


def test_an_empty_table_is_a_reference_of_nothing(tmp_path):
    reference = Reference.of(table(1).slice(0, 0), COLUMNS)
    reference.save(tmp_path / "reference.parquet")
    loaded = Reference.load(tmp_path / "reference.parquet")
    assert groups(loaded, AGE)[()]["count"].sum() == 0
    Reference({}).save(tmp_path / "nothing.parquet")
    assert Reference.load(tmp_path / "nothing.parquet").columns == {}


def test_a_failed_save_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "reference.parquet"
    Reference.of(table(1), ["age"]).save(path)
    before = path.read_bytes()

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", fail)
    with pytest.raises(OSError, match="No space"):
        Reference.of(table(2), ["age"]).save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["reference.parquet"]


def test_references_of_two_halves_add_up_to_that_of_the_whole():
    whole = table(3)
    reference = Reference.of(whole, COLUMNS, group_sets=[[], ["region"]])
    halves = [reference.like(part, group_sets=[[], ["region"]]) for part in (whole.slice(0, 100), whole.slice(100))]
    assert_equal(halves[0] + halves[1], reference, rounding=1e-9)
    assert_equal(halves[0] + halves[1], halves[1] + halves[0], rounding=1e-9)


def test_groups_and_columns_of_either_side_are_kept():
    left = Reference.of(table(1).slice(0, 2), ["age"], group_columns=["region"])
    right = left.like(table(1).slice(1, 2), group_columns=["region"])
    both = left + right + Reference.of(table(1), ["device"])
    assert set(both.columns) == {AGE, DEVICE}
    assert {(("region", None),), (("region", "JP"),), (("region", "TW"),)} <= groups(both, AGE).keys()
    assert groups(both, AGE)[(("region", "JP"),)]["count"].sum() == 2


def test_references_with_other_bins_cannot_be_added():
    with pytest.raises(BadReferenceError, match=r"age has other bins .* like"):
        Reference.of(table(1), ["age"]) + Reference.of(table(2), ["age"])


def test_a_window_of_time_is_measured_as_a_whole():
    days = [Period(datetime(2026, 1, d, tzinfo=UTC), datetime(2026, 1, d + 1, tzinfo=UTC)) for d in (1, 2)]
    reference = Reference.of(table(4), ["age"], periods=days, time_column="at")
    one = Reference.of(table(4), ["age"], periods=[Period(days[0].start, days[1].end)], time_column="at")
    assert_equal(reference, one, rounding=1e-9)
    assert groups(one, AGE)[()]["count"].sum() == 334


def test_conditions_and_slices_count():
    reference = Reference.of(table(5), ["age"], where="device = 'ios'", slices={"old": "age > 50"})
    counts = {group: state["count"].sum() for group, state in groups(reference, AGE).items()}
    rows = [r for r in table(5).to_pylist() if r["device"] == "ios"]
    assert counts == {(): len(rows), (("slice", "old"),): sum(r["age"] > 50 for r in rows)}


def test_a_table_is_not_taken_for_a_reference(tmp_path):
    path = tmp_path / "table.parquet"
    pq.write_table(table(1), path)
    (tmp_path / "table.csv").write_text("age\n1\n")
    (tmp_path / "torn.parquet").write_bytes(b"PAR1torn")
    assert not any(is_saved_reference(tmp_path / name) for name in ("table.parquet", "table.csv", "torn.parquet"))
    with pytest.raises(BadReferenceError, match="is no saved reference"):
        Reference.load(path)
    with pytest.raises(FileNotFoundError):
        Reference.load(tmp_path / "nothing")


@pytest.mark.parametrize(
    "options", [{"columns": "age"}, {"columns": ["age"], "resolution": 1}, {"columns": ["age"], "max_categories": 0}]
)
def test_wrong_arguments_are_told(options):
    with pytest.raises(BadPlanError):
        Reference.of(table(1), **options)


def test_columns_of_column_metrics_are_those_whose_drift_is_asked_for():
    assert column_keys({"age": ["psi", "avg"], "items": ["js@5", "ks"], "device": ["unique"]}) == [
        ColumnKey("age", None), ColumnKey("items", 5), ColumnKey("items", None),
    ]  # fmt: skip
