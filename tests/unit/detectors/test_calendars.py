from __future__ import annotations

import sys

import numpy as np
import pytest

from lupus_provider.detectors.calendars import UnknownHolidaysError, holiday_widening
from lupus_provider.errors import MissingExtraError


def days(first: str, last: str) -> np.ndarray:
    return np.arange(first, last, dtype="datetime64[D]").astype("datetime64[us]")


def test_the_band_is_widest_on_the_holiday_and_fades_over_two_days() -> None:
    assert holiday_widening(days("2013-07-01", "2013-07-08"), "US").tolist() == [1.0, 1.5, 2.0, 2.5, 2.0, 1.5, 1.0]


def test_a_holiday_that_moves_is_found_in_each_year() -> None:
    assert holiday_widening(days("2013-11-28", "2013-11-29"), "US")[0] == 2.5
    assert holiday_widening(days("2014-11-27", "2014-11-28"), "US")[0] == 2.5
    assert holiday_widening(days("2014-12-04", "2014-12-05"), "US")[0] == 1.0


def test_new_year_reaches_back_into_the_old_one() -> None:
    assert holiday_widening(days("2013-12-30", "2014-01-01"), "US").tolist() == [1.5, 2.0]


def test_all_hours_of_a_holiday_are_wide() -> None:
    hours = np.arange("2013-07-04T00", "2013-07-05T00", dtype="datetime64[h]").astype("datetime64[us]")
    assert (holiday_widening(hours, "US") == 2.5).all()


def test_a_region_has_holidays_of_its_own() -> None:
    lincoln = days("2013-02-12", "2013-02-13")  # Lincoln's birthday, New York
    assert holiday_widening(lincoln, "US-NY")[0] == 2.5
    assert holiday_widening(lincoln, "US")[0] == 1.0


def test_without_a_calendar_nothing_widens_and_nothing_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "holidays", None)
    assert holiday_widening(days("2013-07-01", "2013-07-08"), None).tolist() == [1.0] * 7
    with pytest.raises(MissingExtraError, match=r"airflow-provider-lupus\[holidays\]"):
        holiday_widening(days("2013-07-01", "2013-07-08"), "US")


@pytest.mark.parametrize("code", ["XX", "US-ZZ"])
def test_an_unknown_country_or_region_is_one_sentence(code: str) -> None:
    with pytest.raises(UnknownHolidaysError, match=f"no holidays for '{code}'"):
        holiday_widening(days("2013-07-01", "2013-07-08"), code)


def test_no_periods_are_no_error() -> None:
    assert holiday_widening(days("2013-07-01", "2013-07-01"), "US").tolist() == []
