from __future__ import annotations

import sys
from datetime import date

import numpy as np
import pytest

from lupus_provider.detectors.calendars import UnknownHolidaysError, ends_of_months, special_days
from lupus_provider.errors import MissingExtraError


def days(first: str, last: str) -> np.ndarray:
    return np.arange(first, last, dtype="datetime64[D]").astype("datetime64[us]")


def name_of(day: str, code: str | None = "US") -> str:
    start = np.array([day], "datetime64[us]")
    return special_days(start, code)[0]


def test_a_holiday_has_the_same_name_on_its_date_of_each_year() -> None:
    assert name_of("2013-11-28") == name_of("2014-11-27") == "Thanksgiving Day"
    assert name_of("2014-12-04") == ""


def test_the_days_around_thanksgiving_and_between_the_years_have_names() -> None:
    assert name_of("2013-11-29") == "black friday"
    assert name_of("2013-12-02") == "cyber monday"
    assert name_of("2013-12-28", "DE") == "28 december"
    assert name_of("2013-07-03") == "day before independence day"
    assert name_of("2013-07-03", "DE") == ""


def test_the_weekend_before_a_monday_holiday_belongs_to_it() -> None:
    assert name_of("2013-08-31") == "Labor Day, the Saturday before"
    assert name_of("2013-09-01") == "Labor Day, the Sunday before"
    assert name_of("2013-09-07") == ""


def test_all_hours_of_a_holiday_have_its_name() -> None:
    hours = np.arange("2013-07-04T00", "2013-07-05T00", dtype="datetime64[h]").astype("datetime64[us]")
    assert set(special_days(hours, "US")) == {"Independence Day"}


def test_a_region_has_holidays_of_its_own() -> None:
    lincoln = "2013-02-12"  # New York
    assert name_of(lincoln, "US-NY") != ""
    assert name_of(lincoln, "US") == ""


def test_own_dates_need_no_country_and_win_over_holidays() -> None:
    own = {"sale": (date(2013, 7, 4), date(2013, 7, 6))}
    assert special_days(days("2013-07-04", "2013-07-07"), None, own) == ["sale", "", "sale"]
    assert special_days(days("2013-07-04", "2013-07-06"), "US", own) == ["sale", "day after independence day"]


def test_without_a_calendar_nothing_is_special_and_nothing_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "holidays", None)
    assert special_days(days("2013-07-01", "2013-07-08"), None) == [""] * 7
    with pytest.raises(MissingExtraError, match=r"airflow-provider-lupus\[holidays\]"):
        special_days(days("2013-07-01", "2013-07-08"), "US")


@pytest.mark.parametrize("code", ["XX", "US-ZZ"])
def test_an_unknown_country_or_region_is_one_sentence(code: str) -> None:
    with pytest.raises(UnknownHolidaysError, match=f"no holidays for '{code}'"):
        special_days(days("2013-07-01", "2013-07-08"), code)


def test_no_periods_are_no_error() -> None:
    assert special_days(days("2013-07-01", "2013-07-01"), "US") == []


def test_the_last_day_of_february_depends_on_the_year() -> None:
    assert ends_of_months(days("2012-02-28", "2012-03-01")).tolist() == [False, True]
    assert ends_of_months(days("2013-02-27", "2013-03-01")).tolist() == [False, True]
