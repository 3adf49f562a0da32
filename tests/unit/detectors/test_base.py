from __future__ import annotations

import numpy as np
import pytest

from lupus_provider.detectors import Outcome, SeriesInfo, Threshold
from lupus_provider.detectors.base import Judgement
from lupus_provider.testing.detectors import make_panel

WHOLE = SeriesInfo("a", "dep_delay", "null_ratio")
BY_ORIGIN = SeriesInfo("b", "dep_delay", "p95", None, {"origin": "JFK"})
BY_BOTH = SeriesInfo("c", "carrier", "count", "UA", {"origin": "JFK", "carrier": "UA"})


def selected(**where: object) -> str:
    rule = Threshold(min=0, **where)
    return "".join(series.series_id for series in (WHOLE, BY_ORIGIN, BY_BOTH) if rule.selects(series))


@pytest.mark.parametrize(
    ("where", "series"),
    [
        ({}, "abc"), ({"metrics": ["p*"]}, "b"), ({"metrics": ["null_ratio", "count"]}, "ac"), ({"columns": ["dep_*"]}, "ab"),
        ({"groups": [""]}, "a"), ({"groups": ["", "origin"]}, "ab"), ({"groups": ["carrier, origin"]}, "c"), ({"groups": ["carrier"]}, ""),
        ({"entities": ["U?"]}, "c"), ({"columns": ["dep_delay"], "groups": ["origin"]}, "b"),
    ],
)  # fmt: skip
def test_a_rule_selects_series_by_metric_column_group_and_entity(where: dict[str, object], series: str) -> None:
    assert selected(**where) == series


def test_the_key_holds_the_parameters_and_not_where_or_how_loud() -> None:
    assert Threshold(max=1).key == Threshold(max=1, severity="high", metrics=["a"], columns=["b"], entities=["c"]).key
    assert Threshold(max=1).key != Threshold(max=2).key
    assert Threshold(max=1).key != Threshold(min=1).key


def test_a_key_never_changes_between_releases_for_the_same_parameters() -> None:
    assert Threshold(max=0.15).key == "threshold:f99dd4fc"


def test_observed_leaves_out_absent_failed_and_infinite_values() -> None:
    panel = make_panel([1.0, 2.0, 3.0, np.inf], present=[True, True, False, True], failed=[False, True, False, False])
    assert np.array_equal(panel.observed[0], [1.0, np.nan, np.nan, np.nan], equal_nan=True)


def test_before_cuts_every_array() -> None:
    panel = make_panel(np.ones((2, 9))).before(4)
    assert {panel.value.shape, panel.present.shape, panel.n_rows.shape, panel.failed.shape} == {(2, 4)}
    assert (len(panel.period_start), len(panel.local_start)) == (4, 4)


def test_select_keeps_the_order_that_is_asked_for() -> None:
    panel = make_panel(np.arange(6.0).reshape(3, 2)).select(np.array([2, 0]))
    assert [series.series_id for series in panel.series] == ["series2", "series0"]
    assert panel.value[:, 0].tolist() == [4.0, 0.0]


def test_an_empty_judgement_has_arrays_of_its_own() -> None:
    judgement = Judgement.empty(1, 2, Outcome.TOO_SHORT)
    judgement.lower[0, 0] = 1.0
    assert np.isnan(judgement.upper[0, 0])
    assert (judgement.outcome == Outcome.TOO_SHORT).all()
