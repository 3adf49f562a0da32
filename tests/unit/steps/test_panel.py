"""make_panel: points become arrays over a gap-free axis."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from lupus_provider.periods import Span, periods_in
from lupus_provider.steps.panel import make_panel
from lupus_provider.testing.builders import a_point, day, points


def panel_of(*rows, n=4, zone="UTC", first=0):
    axis = periods_in(Span(day(first), day(first + n)), "day", ZoneInfo(zone))
    return make_panel(points(*rows), axis, "day", ZoneInfo(zone))


def test_a_gap_is_absent_and_an_undefined_value_is_present():
    panel = panel_of(a_point(1.0, day(0)), a_point(None, day(2)), a_point(None, day(3), error="no such column"))
    assert panel.present.tolist() == [[True, False, True, True]]
    assert panel.failed.tolist() == [[False, False, False, True]]
    assert np.isnan(panel.value[0, 1:]).all()
    assert panel.n_rows[0, [0, 2]].tolist() == [100.0, 100.0]
    assert np.isnan(panel.n_rows[0, 1])


def test_series_keep_their_own_values():
    panel = panel_of(*(a_point(float(n) + ord(e), day(n), entity=e) for n in range(4) for e in "xyz"))
    for i, series in enumerate(panel.series):
        assert panel.value[i].tolist() == [ord(series.entity) + float(n) for n in range(4)]


def test_points_beside_the_axis_are_left_out():
    # The project's zone was changed: what was measured in the old one starts at other instants.
    old = a_point(9.0, day(1) + timedelta(hours=5), entity="old")
    panel = panel_of(old, a_point(1.0, day(1), entity="new"), a_point(5.0, day(9), entity="new"))
    assert panel.value[~np.isnan(panel.value)].tolist() == [1.0]
    assert panel.present.sum() == 1


def test_the_local_clock_is_the_zones():
    axis = periods_in(
        Span(datetime(2013, 3, 9, 5, tzinfo=UTC), datetime(2013, 3, 12, 4, tzinfo=UTC)),
        "day",
        ZoneInfo("America/New_York"),
    )
    panel = make_panel(points(a_point(1.0, axis[1].start)), axis, "day", ZoneInfo("America/New_York"))
    assert panel.local_start.astype(str).tolist() == [f"2013-03-{d:02d}T00:00:00.000000" for d in (9, 10, 11)]
    assert panel.period_start.astype(str)[2] == "2013-03-11T04:00:00.000000"


def test_no_points_are_no_series():
    assert len(panel_of()) == 0


@pytest.mark.parametrize(
    ("metric", "bounds", "is_count"),
    [("null_ratio", (0.0, 1.0), False), ("row_count", (0.0, np.inf), True), ("val_loss", (-np.inf, np.inf), False)],
)
def test_a_series_knows_its_bounds_also_of_a_metric_measured_elsewhere(metric, bounds, is_count):
    (series,) = panel_of(a_point(metric=metric)).series
    assert ((series.lower_bound, series.upper_bound), series.is_count) == (bounds, is_count)
