"""Series from a file: what people's CSVs look like, and what is said of those that cannot be read."""

from __future__ import annotations

import numpy as np
import pytest

from lupus_provider.steps.series_file import SeriesFileError, read_series_file


@pytest.fixture
def read(tmp_path):
    def _read(text):
        path = tmp_path / "series.csv"
        path.write_text(text, encoding="utf-8")
        return read_series_file(path)

    return _read


def test_several_series_share_one_axis_without_gaps(read):
    file = read("series_id,date,value,n_rows\na,2024-02-28,1,10\na,2024-03-01,3,30\nb,2024-02-29,5,50\n")
    assert [series.series_id for series in file.panel.series] == ["a", "b"]
    assert file.labels == ("2024-02-28", "2024-02-29", "2024-03-01")
    np.testing.assert_equal(file.panel.value, [[1, np.nan, 3], [np.nan, 5, np.nan]])
    np.testing.assert_equal(file.panel.n_rows, [[10, np.nan, 30], [np.nan, 50, np.nan]])
    assert file.panel.present.tolist() == [[True, False, True], [False, True, False]]
    assert file.panel.period == "day"


@pytest.mark.parametrize(
    ("dates", "period", "length"),
    [
        (["2024-01-01", "2024-02-01", "2024-04-01"], "month", 4),
        (["2024-01-07", "2024-01-14", "2024-01-28"], "week", 4),
        (["2024-03-31T00:00", "2024-03-31T01:00", "2024-03-31T03:00"], "hour", 4),
        (["2024-01-02", "2024-01-01", "2024-01-03"], "day", 3),
    ],
)
def test_the_rhythm_is_found(read, dates, period, length):
    file = read("date,value\n" + "".join(f"{date},1\n" for date in dates))
    assert (file.panel.period, len(file.labels)) == (period, length)
    assert set(dates) <= set(file.labels)


def test_another_rhythm_counts_its_steps(read):
    dates = np.datetime64("2024-01-01T00:00") + np.arange(300) * np.timedelta64(5, "m")
    file = read("date,value\n" + "".join(f"{date},1\n" for date in dates))
    assert file.panel.period == "hour"
    assert set(np.diff(file.panel.local_start)) == {np.timedelta64(1, "h")}
    assert file.labels == tuple(map(str, dates))


def test_dates_with_offsets_become_utc_and_keep_their_spelling(read):
    file = read("date,value\n2024-01-01T23:00-05:00,1\n2024-01-02T05:00+00:00,2\n")
    assert str(file.panel.local_start[0]) == "2024-01-02T04:00:00.000000"
    assert file.labels == ("2024-01-01T23:00-05:00", "2024-01-02T05:00+00:00")


def test_without_dates_the_index_or_the_order_counts(read):
    file = read("series_id,index,value\na,0,1\na,2,3\n")
    assert (file.axis_name, file.labels) == ("index", ("0", "1", "2"))
    file = read("value\n5\n\n7\n")
    assert file.panel.value.tolist() == [[5, 7]]


def test_unknown_values_are_points_without_a_value(read):
    file = read("date,value\n2024-01-01,\n2024-01-02,NaN\n2024-01-03,2\n")
    assert file.panel.present.all()
    assert np.isnan(file.panel.value[0, :2]).all()


def test_the_metric_tells_bounds(read):
    file = read(
        "series_id,date,value,metric\na,2024-01-01,1,row_count\nb,2024-01-01,.5,null_ratio\nc,2024-01-01,.5,ours\n"
    )
    a, b, c = file.panel.series
    assert a.is_count
    assert (b.lower_bound, b.upper_bound) == (0, 1)
    assert (c.lower_bound, c.upper_bound) == (-np.inf, np.inf)


def test_a_byte_order_mark_capitals_and_columns_of_others_do_no_harm(read):
    file = read("\ufeffSeries_ID,Date,Value,comment\na,2024-01-01,1,x\n")
    assert file.ignored == ("comment",)
    assert file.panel.value.tolist() == [[1]]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("date,value\n2024-01-01,1\n2024-01-02,x\n", 3, "value 'x' is not a number"),
        ("date,value\n2024-01-01,1\n2024-13-02,1\n", 3, "date '2024-13-02' is not a date"),
        (
            "series_id,date,value\na,2024-01-01,1\nb,2024-01-01,1\na,2024-01-01,2\n",
            4,
            "series 'a' has 2024-01-01 twice",
        ),
        ("date,value\n2024-01-01,1\n2024-01-02,1\n2024-01-03T10:00,1\n2024-01-03,1\n", 4, "off the rhythm"),
        ("index,value\n0,1\n1.5,2\n", 3, "index '1.5'"),
        ("date,volume\n2024-01-01,1\n", 1, "no column 'value'"),
        ("date,value\n", 2, "no rows"),
        ("value,value\n1,2\n", 1, "twice"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(read, text, line, words):
    with pytest.raises(SeriesFileError) as raised:
        read(text)
    assert raised.value.line == line
    assert words in str(raised.value)
    assert f"series.csv:{line}: " in str(raised.value)


def test_a_wrong_year_does_not_take_the_memory(read):
    with pytest.raises(SeriesFileError, match="wrong year"):
        read("date,value\n0204-01-01,1\n2024-01-01,1\n2024-01-02,2\n")
