from __future__ import annotations

import csv
import io
from zoneinfo import ZoneInfo

import pytest

from lupus_provider.server.export import HEADER, plain_text, to_csv
from lupus_provider.wire import AnomalyPoint, SeriesPoints


def flag(t, detector="d", score=0.1, kind="spike"):
    return AnomalyPoint(
        series_id="s", t=t, detector=detector, kind=kind, severity="high", direction="up", value=1, expected=None,
        lower=None, upper=None, score=score,
    )  # fmt: skip


def rows(points, zone="UTC"):
    return list(csv.DictReader(io.StringIO(to_csv(points, ZoneInfo(zone)), newline="")))


def series(t, value, **columns):
    columns = {"anomalies": [], **columns}
    return SeriesPoints(series_id="s", t=t, value=value, n_raw=len(t), method="raw", **columns)


def test_a_series_without_columns_beside_its_values_is_written_with_empty_cells():
    assert to_csv(series([0], [1.5]), ZoneInfo("UTC")).splitlines() == [
        ",".join(HEADER),
        "1970-01-01T00:00:00+00:00,1970-01-01T00:00:00+00:00,1.5,,,,,,,,",
    ]


def test_local_time_is_the_projects():
    (row,) = rows(series([1_362_891_600], [1.0]), "America/New_York")
    assert (row["period_start"], row["local_start"]) == ("2013-03-10T05:00:00+00:00", "2013-03-10T00:00:00-05:00")


def test_a_flagged_period_without_a_point_has_a_row_in_its_place():
    table = rows(series([0, 200], [1.0, 2.0], anomalies=[flag(100, kind="missing")]))
    assert [(row["value"], row["kind"]) for row in table] == [("1.0", ""), ("", "missing"), ("2.0", "")]


def test_where_several_detectors_flag_a_period_the_strangest_is_shown():
    flags = [flag(0, "b", 0.5), flag(0, "a", 1e-9), flag(0, "c", None)]
    assert rows(series([0], [1.0], anomalies=flags))[0]["detector"] == "a"


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\n=1"])
def test_no_text_begins_a_formula(start):
    table = rows(series([0], [None], error=[start], anomalies=[flag(0, detector=start, kind=start)]))
    assert {table[0][name] for name in ("error", "detector", "kind")} == {"'" + start}


def test_numbers_are_not_taken_for_formulas_and_plain_text_is_untouched():
    assert rows(series([0], [-1.5]))[0]["value"] == "-1.5"
    assert (plain_text("no rows, = nothing"), plain_text(""), plain_text(None)) == ("no rows, = nothing", "", None)


def test_text_with_commas_quotes_and_lines_comes_back_whole():
    text = 'a,"b"\nc'
    assert rows(series([0], [None], error=[text]))[0]["error"] == text
