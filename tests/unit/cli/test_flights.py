from __future__ import annotations

import shutil
import zipfile
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest

from lupus_provider.cli import flights as module
from lupus_provider.cli.errors import MissingFlightsError
from lupus_provider.cli.flights import prepare_flights, read_table, read_zones, source_files

CSV = "year,dep_delay,tailnum,time_hour\n2013,2,N1,2013-01-01T10:00:00Z\n2013,NA,NA,2013-01-01T11:00:00Z\n"


@pytest.fixture
def prepared(whole_year, tmp_path):
    shutil.copytree(whole_year, tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_the_year_is_whole(prepared):
    departures = pq.read_table(prepared / "flights" / "departures.parquet")
    assert departures.num_rows == 336_776
    assert departures["dep_delay"].null_count == 8_255
    assert pq.read_metadata(prepared / "flights" / "weather.parquet").num_rows == 26_115
    assert pq.read_metadata(prepared / "flights" / "predictions.parquet").num_rows == 336_776
    assert pq.read_metadata(prepared / "flights" / "truth.parquet").num_rows == 327_346


def test_times_are_instants_in_utc_and_numbers_are_numbers(prepared):
    schema = pq.read_schema(prepared / "flights" / "departures.parquet")
    assert str(schema.field("time_hour").type) == "timestamp[us, tz=UTC]"
    assert str(schema.field("dep_delay").type) == "int32"
    assert str(schema.field("origin").type) == "string"
    assert str(pq.read_schema(prepared / "flights" / "weather.parquet").field("visib").type) == "double"


def test_a_second_time_touches_nothing(prepared):
    before = {path: path.stat().st_mtime_ns for path in (prepared / "flights").iterdir()}
    prepare_flights(prepared)
    assert {path: path.stat().st_mtime_ns for path in (prepared / "flights").iterdir()} == before


@pytest.mark.parametrize("table", ["weather", "predictions"])
def test_what_is_missing_is_written_again_with_the_same_bytes(prepared, table):
    path = prepared / "flights" / f"{table}.parquet"
    stamp, before = (prepared / "flights" / "source").read_text(), path.read_bytes()
    path.unlink()
    assert prepare_flights(prepared) == stamp
    assert path.read_bytes() == before


@pytest.mark.parametrize("target", ["flights._FORMAT", "delays.FORMAT"])
def test_other_data_has_another_name(prepared, monkeypatch, target):
    name = prepare_flights(prepared)
    monkeypatch.setattr(f"lupus_provider.cli.{target}", "other")
    monkeypatch.setattr("lupus_provider.cli.prepared.PreparedFolder.write", lambda *_: None)
    assert prepare_flights(prepared) != name


def test_an_airport_has_a_zone_or_none(tmp_path):
    path = tmp_path / "airports.csv"
    path.write_text("faa,name,tzone\nIAH,George Bush,America/Chicago\nXXX,Nowhere,\\N\n")
    assert read_zones(path) == {"IAH": "America/Chicago", "XXX": None}


@pytest.mark.parametrize("zipped", [True, False])
def test_na_is_null_in_text_and_numbers(tmp_path, zipped):
    path = tmp_path / ("a.csv.zip" if zipped else "a.csv")
    if zipped:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.csv", CSV)
    else:
        path.write_text(CSV)
    assert read_table(path).to_pylist() == [
        {"year": 2013, "dep_delay": 2, "tailnum": "N1", "time_hour": datetime(2013, 1, 1, 10, tzinfo=UTC)},
        {"year": 2013, "dep_delay": None, "tailnum": None, "time_hour": datetime(2013, 1, 1, 11, tzinfo=UTC)},
    ]


def test_a_missing_package_is_one_sentence(monkeypatch):
    def missing(name: str) -> None:
        raise module.PackageNotFoundError(name)

    monkeypatch.setattr(module, "distribution", missing)
    with pytest.raises(MissingFlightsError, match=r"pip install 'airflow-provider-lupus\[demo\]'"):
        source_files()
