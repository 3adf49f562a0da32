"""Mappings and settings of the indices, made from the records: a field that is a column of a record has its column's type.

Strict: a field that is not named here is refused. Nothing is searchable but what is searched for, because arrays of slots that are only
read cost half of the bytes and most of the loading time otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lupus_provider import records
from lupus_provider.stores.index.elastic import names

if TYPE_CHECKING:
    from collections.abc import Iterable

WINDOW = 1_000_000
"""Documents that a page may reach into the list; further on there is nothing."""
KEYWORD = 8_000
"""Characters of a text that are compared; a term has at most 32,766 bytes."""
BY_NAME = ("project", "metric_set", "name_order", "series_id")
_READ_ONLY: dict[str, Any] = {"index": False, "doc_values": False}
_STORED: dict[str, Any] = {"type": "object", "enabled": False}
_TEXT: dict[str, Any] = {"type": "keyword", "ignore_above": KEYWORD}


def _type(column: pa.DataType) -> str:
    if pa.types.is_string(column):
        return "keyword"
    if pa.types.is_floating(column):
        return "double"
    return "long"  # counts, and instants as epoch seconds


def _columns(kind: records.RecordKind, wanted: Iterable[str], **options: Any) -> dict[str, Any]:
    return {name: {"type": _type(kind.schema.field(name).type), **options} for name in wanted}


_WHERE: dict[str, Any] = {
    "doc": {"type": "keyword"},  # slots, anomaly, series, set, state
    "set": {"type": "keyword"},  # project/metric_set
    "project": {"type": "keyword"},
    "metric_set": {"type": "keyword"},
}
_STATE: dict[str, Any] = {
    "month": {"type": "integer"},  # yyyymm in UTC
    "writer": {"type": "long", **_READ_ONLY},  # generation that took the month last
    "switched": {"type": "long", **_READ_ONLY},  # generation that switched it last
    "dirty": {"type": "boolean"},  # switched, but summaries and leftovers still to be done
    "token": {"type": "keyword"},  # of a dirty month: changes with every switch
    "valid_period": {"type": "long", **_READ_ONLY},
    "valid_generation": {"type": "long", **_READ_ONLY},
    "valid_digest": {"type": "keyword", **_READ_ONLY},
}
_SLOTS: dict[str, Any] = {
    **_WHERE, **_STATE,
    "series_id": {"type": "keyword"},
    "slots": {"type": "binary"},  # table of doubles, see `slots`
    "notes": _STORED,  # texts of a few slots
}  # fmt: skip


def _points() -> dict[str, Any]:
    identity = _columns(records.POINTS, ("column_name", "metric", "entity"), **_READ_ONLY)
    return {**_SLOTS, "group_key": _STORED, **identity}


def _bands() -> dict[str, Any]:
    return {**_SLOTS, **_columns(records.EVALUATIONS, ("detector",))}


def _anomalies() -> dict[str, Any]:
    found = ("series_id", "period_start", "detector", "kind", "severity", "direction")
    read = ("value", "expected", "lower", "upper", "score")
    return {
        **_WHERE, **_STATE,
        **_columns(records.ANOMALIES, found), **_columns(records.ANOMALIES, read, **_READ_ONLY),
        "strength": {"type": "double"},
        "generation": {"type": "long"},
        "known": {"type": "boolean"},  # its series has points
        "settled": {"type": "boolean"},  # valid without a look at the month's state
    }  # fmt: skip


def _series() -> dict[str, Any]:
    return {
        **_WHERE,
        **_columns(records.POINTS, ("series_id",)), **_columns(records.POINTS, ("column_name", "metric"), ignore_above=KEYWORD),
        **_columns(records.POINTS, ("entity",), **_READ_ONLY),
        "name": {"type": "keyword", **_READ_ONLY}, "name_order": _TEXT, "search_text": _TEXT,
        "group_key": _STORED, "group_by": _TEXT, "groups": _TEXT, "group_columns": _TEXT,
        "period": {"type": "keyword"}, "timezone": {"type": "keyword"}, "newest_period": {"type": "long"}, "n_series": {"type": "long"},
        "known": {"type": "boolean"}, "is_stale": {"type": "boolean"},
        "n_points": {"type": "long"}, "first_period": {"type": "long"}, "last_period": {"type": "long"},
        "last_value": {"type": "double"}, "last_expected": {"type": "double"}, "change": {"type": "double"},
        "anomaly_periods": {"type": "long"}, "strong_periods": {"type": "long"},
        "attention": {"type": "double"}, "strongest": {"type": "double", **_READ_ONLY}, "last_anomaly": {"type": "long"},
        "flags": {"type": "binary", "doc_values": True},  # period, strength, score of every anomaly
        "months": _STORED,  # what each month gives to the fields above
    }  # fmt: skip


def _lock() -> dict[str, Any]:
    return {
        "owner": {"type": "keyword"}, "generation": {"type": "long"}, "beat": {"type": "long"}, "held": {"type": "boolean"},
    }  # fmt: skip


_FIELDS = {
    names.SERIES: _series, names.POINTS: _points, names.BANDS: _bands, names.ANOMALIES: _anomalies, names.STATE: _lock,
}  # fmt: skip


def body(room: str, shards: int = 1) -> dict[str, Any]:
    """Return mappings and settings of a room's index.

    Notes
    -----
    Automatic refreshing is off: a load refreshes when it switches, and nobody needs to see half of it before. The codec is lz4, which
    charts read five times faster than best_compression.
    """
    settings: dict[str, Any] = {
        "number_of_shards": shards if room in (names.POINTS, names.BANDS) else 1, "auto_expand_replicas": "0-1",
        "refresh_interval": "-1", "codec": "default", "max_result_window": WINDOW,
    }  # fmt: skip
    if room == names.SERIES:  # in the order of most pages, which then end at their last hit
        settings |= {"sort.field": list(BY_NAME), "sort.order": ["asc"] * len(BY_NAME)}
    return {"settings": {"index": settings}, "mappings": {"dynamic": "strict", "properties": _FIELDS[room]()}}
