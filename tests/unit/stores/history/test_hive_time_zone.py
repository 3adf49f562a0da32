"""A catalogue whose sessions are not in UTC is refused by the check, with what to set."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from lupus_provider.errors import CatalogError
from lupus_provider.stores.history.hive import HiveCatalog


def catalog_in(zone):
    """Return a catalogue whose server tells clocks of a zone."""
    catalog = HiveCatalog(lambda: None)

    def run(statement):
        if statement.startswith("SELECT"):
            seconds = [int(part.split(")")[0]) for part in statement.split("from_unixtime(")[1:]]
            clocks = [datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(zone)) for at in seconds]
            return [tuple(f"{clock:%Y-%m-%d %H:%M:%S}" for clock in clocks)]
        return [("lupus",)]

    catalog._run = run
    return catalog


@pytest.mark.parametrize("zone", ["UTC", "Etc/GMT", "Africa/Abidjan"])
def test_utc_is_found_well(zone):
    assert "database 'lupus' is there" in catalog_in(zone).check()


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Europe/London", "America/New_York", "Australia/Lord_Howe"])
def test_another_zone_is_refused_even_if_it_is_utc_in_winter(zone):
    with pytest.raises(CatalogError, match=r"not in UTC.*hive\.local\.time\.zone.*spark\.sql\.session\.timeZone"):
        catalog_in(zone).check()
