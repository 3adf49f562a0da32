"""CSV → panel: series that lie in a file instead of the history, for judging without Airflow, a project or a store.

Columns `series_id` (optional), `date` or `index` (optional: rows are counted), `value`, `n_rows` (optional), `metric` (optional: its
bounds and whether it counts). Dates are taken as they stand: with an offset they become UTC, without one they are the wall clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyarrow import csv

from lupus_provider.detectors import Panel
from lupus_provider.errors import Terminal
from lupus_provider.steps.panel import series_info

if TYPE_CHECKING:
    from pathlib import Path

    from lupus_provider.periods import PeriodName

REQUIRED, KNOWN = "value", ("series_id", "date", "index", "value", "n_rows", "metric")
AXIS_MAX = 200_000
"""Periods between the first and the last date: beyond, a date is surely wrong."""
_NULLS = frozenset({"", "null", "NULL", "None", "nan", "NaN", "NA"})
_HOUR, _DAY, _WEEK = np.timedelta64(1, "h"), np.timedelta64(1, "D"), np.timedelta64(7, "D")
_PERIODS: dict[np.timedelta64, PeriodName] = {_HOUR: "hour", _DAY: "day", _WEEK: "week"}
_MONDAY = np.datetime64("1970-01-05", "us")


class SeriesFileError(Terminal, ValueError):
    """A file of series cannot be read."""

    def __init__(self, path: str, line: int | None, reason: str, remedy: str) -> None:
        self.path, self.line, self.reason, self.remedy = path, line, reason, remedy
        super().__init__(f"{path}{'' if line is None else f':{line}'}: {reason}. {remedy}")


@dataclass(frozen=True, slots=True)
class SeriesFile:
    """Series of a file."""

    panel: Panel
    axis_name: str
    """`date` or `index`: what the file calls its axis."""
    labels: tuple[str, ...]
    """Spelling of each period of the axis: the file's own where it has one."""
    ignored: tuple[str, ...]
    """Columns of the file that mean nothing here."""


def read_series_file(path: Path) -> SeriesFile:
    """Read the series of a CSV file.

    Raises
    ------
    SeriesFileError
        With the line of the first value that is no number, date that is no date or is off the rhythm of the others, or point that
        is there twice.
    FileNotFoundError
        If the file is not there.
    """
    table = _read(path)
    name = str(path)
    axis_name = "date" if "date" in table.column_names else "index"
    ids = _texts(table, "series_id") if "series_id" in table.column_names else ["series"] * table.num_rows
    rows, series = _codes(ids)
    if axis_name == "date":
        axis, columns, labels, period = _dated(name, _texts(table, "date"))
    else:
        axis, columns, labels, period = _counted(name, table, rows, len(series))
    _refuse_doubles(name, rows, columns, len(axis), ids, labels)
    shape = (len(series), len(axis))
    arrays = {field: np.full(shape, np.nan) for field in ("value", "n_rows")}
    for field in arrays.keys() & set(table.column_names):
        arrays[field][rows, columns] = _numbers(name, table, field)
    present = np.zeros(shape, bool)
    present[rows, columns] = True
    metrics = _texts(table, "metric") if "metric" in table.column_names else [""] * table.num_rows
    first = np.unique(rows, return_index=True)[1]
    infos = [series_info(ids[i], "", metrics[i] or "value", None, {}) for i in first]
    panel = Panel(infos, period, axis, axis, arrays["value"], present, arrays["n_rows"], np.zeros(shape, bool))
    return SeriesFile(panel, axis_name, labels, tuple(c for c in table.column_names if c not in KNOWN))


def _read(path: Path) -> pa.Table:
    options = csv.ConvertOptions(strings_can_be_null=False)
    try:
        header = csv.open_csv(path).schema.names
        options.column_types = dict.fromkeys(header, pa.string())
        table = csv.read_csv(path, convert_options=options)
    except pa.ArrowInvalid as err:
        raise SeriesFileError(
            str(path), None, str(err).splitlines()[0], "Give a CSV file in UTF-8 with a header"
        ) from err
    names = [name.strip().lstrip("\ufeff").lower() for name in table.column_names]
    if REQUIRED not in names:
        raise SeriesFileError(
            str(path),
            1,
            f"there is no column 'value' among {', '.join(names)}",
            f"Known columns are {', '.join(KNOWN)}",
        )
    if len(set(names)) < len(names):
        raise SeriesFileError(str(path), 1, "a column is there twice", "Give every column its own name")
    if not table.num_rows:
        raise SeriesFileError(str(path), 2, "there are no rows", "Give one row a series and period")
    return table.rename_columns(names)


def _texts(table: pa.Table, name: str) -> list[str]:
    return [text.strip() for text in table[name].to_pylist()]


def _codes(ids: list[str]) -> tuple[np.ndarray, list[str]]:
    """Return the number of each row's series, and the series in the order in which they come."""
    encoded = pa.array(ids).dictionary_encode()
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64), encoded.dictionary.to_pylist()


def _numbers(path: str, table: pa.Table, name: str) -> np.ndarray:
    texts = pa.array([None if text in _NULLS else text for text in _texts(table, name)], pa.string())
    try:
        return texts.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        for line, text in enumerate(texts.to_pylist(), start=2):
            if text is not None and not _is_number(text):
                raise SeriesFileError(
                    path, line, f"{name} {text!r} is not a number", "Leave what is unknown empty"
                ) from None
        raise


def _is_number(text: str) -> bool:
    try:
        pa.scalar(text).cast(pa.float64())
    except pa.ArrowInvalid:
        return False
    return True


def _dated(path: str, texts: list[str]) -> tuple[np.ndarray, np.ndarray, tuple[str, ...], PeriodName]:
    encoded = pa.array(texts).dictionary_encode()
    spellings: list[str] = encoded.dictionary.to_pylist()
    moments = np.array([_moment(path, text, texts) for text in spellings], "datetime64[us]")
    axis, period, places = _grid(path, moments, spellings, texts)
    labels = [_label(moment, has_time=any(len(text) > len("2013-01-31") for text in spellings)) for moment in axis]
    for place, spelling in zip(places, spellings, strict=True):
        labels[place] = spelling
    columns = places[encoded.indices.to_numpy(zero_copy_only=False)]
    if period is None:
        return _virtual(axis), columns, tuple(labels), "hour"
    return axis, columns, tuple(labels), period


def _virtual(axis: np.ndarray) -> np.ndarray:
    """Return an axis on which another rhythm (five minutes, two days) counts one hour a step, so that seasons are counted in steps."""
    step = axis[1] - axis[0]
    offset = int((axis[0] - _MONDAY) // step)
    return _MONDAY + (offset + np.arange(len(axis))) * _HOUR


def _moment(path: str, text: str, texts: list[str]) -> np.datetime64:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        line = texts.index(text) + 2
        raise SeriesFileError(
            path, line, f"date {text!r} is not a date", "Write 2013-01-31 or 2013-01-31T08:00"
        ) from None
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment, "us")


def _grid(
    path: str, moments: np.ndarray, spellings: list[str], texts: list[str]
) -> tuple[np.ndarray, PeriodName | None, np.ndarray]:
    """Return the gap-free axis, its period (None: another step) and each moment's place on it."""
    order = np.unique(moments)
    if len(order) == 1:
        return order, "day", np.zeros(len(moments), np.int64)
    gaps = np.diff(order)
    months = order.astype("datetime64[M]")
    if gaps.min() >= 28 * _DAY and (order == months).all() and len(np.unique(months)) == len(order):
        numbers = (moments.astype("datetime64[M]") - months[0]).astype(np.int64)
        return (months[0] + np.arange(numbers.max() + 1)).astype("datetime64[us]"), "month", numbers
    values, counts = np.unique(gaps, return_counts=True)
    step = values[np.argmax(counts)]
    places, rest = np.divmod(moments - order[0], step)
    off = np.flatnonzero(rest)
    if len(off):
        text = spellings[off[0]]
        line = texts.index(text) + 2
        raise SeriesFileError(
            path, line, f"date {text!r} is off the rhythm of the others, one every {_spell(step)} from {spellings[int(np.argmin(moments))]}",
            "Give one row a period, at its start",
        )  # fmt: skip
    places = places.astype(np.int64)
    if places.max() >= AXIS_MAX:
        raise SeriesFileError(
            path, None, f"there are {places.max() + 1:,} periods from first to last date", "Look for a wrong year"
        )
    axis = order[0] + np.arange(places.max() + 1) * step
    return axis, _PERIODS.get(step), places


def _spell(step: np.timedelta64) -> str:
    return str(step.item())


def _label(moment: np.datetime64, *, has_time: bool) -> str:
    return str(moment.astype("datetime64[s]") if has_time else moment.astype("datetime64[D]"))


def _counted(
    path: str, table: pa.Table, rows: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...], PeriodName]:
    """Return an axis of numbers: those of column `index`, else the rows of each series as they come."""
    if "index" in table.column_names:
        numbers = _numbers(path, table, "index")
        bad = np.flatnonzero(~(np.isfinite(numbers) & (numbers == np.round(numbers)) & (numbers >= 0)))
        if len(bad):
            raise SeriesFileError(
                path,
                int(bad[0]) + 2,
                f"index {table['index'][int(bad[0])].as_py()!r} is not a number from 0",
                "Count the periods",
            )
        columns = numbers.astype(np.int64)
    else:
        columns = np.empty(len(rows), np.int64)
        for series in range(n):
            mine = rows == series
            columns[mine] = np.arange(mine.sum())
    if columns.max() >= AXIS_MAX * 10:
        raise SeriesFileError(path, None, f"there are {columns.max() + 1:,} periods", "Look for a wrong index")
    length = int(columns.max()) + 1
    return _MONDAY + np.arange(length) * _DAY, columns, tuple(map(str, range(length))), "day"


def _refuse_doubles(
    path: str, rows: np.ndarray, columns: np.ndarray, length: int, ids: list[str], labels: tuple[str, ...]
) -> None:
    keys = rows * length + columns
    _, first = np.unique(keys, return_index=True)
    if len(first) < len(keys):
        at = int(np.setdiff1d(np.arange(len(keys)), first)[0])
        raise SeriesFileError(
            path, at + 2, f"series {ids[at]!r} has {labels[columns[at]]} twice", "Give one row a series and period"
        )
