"""Summaries of series: one document a series with its newest state, made of what each month of points, bands and anomalies gives.

A document keeps each month's part, so a load touches only the parts of its months, in any order, verdicts before points or after. A series
without points is kept for its verdicts, but nobody sees it.
"""

from __future__ import annotations

import base64
import math
import struct
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from lupus_provider.naming import series_name
from lupus_provider.stores.index.elastic import names
from lupus_provider.stores.index.elastic.bulk import Action, action
from lupus_provider.stores.index.elastic.mappings import KEYWORD
from lupus_provider.stores.index.elastic.states import scan
from lupus_provider.stores.index.loading import folded
from lupus_provider.stores.index.searching import attention

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lupus_provider.stores.index.base import MetricSetInfo
    from lupus_provider.stores.index.elastic.door import Door

Entries = dict[str, Any]
"""Series → what one month of one room gives to its summary."""
_FLAG = struct.Struct("<3d")
LARGEST = 1.7976931348623157e308
_NEVER: tuple[Any, ...] = (0, None, None, None)


def group_term(column: str, value: str | None) -> str:
    """Term of a group: `region=JP`; a null value is the column alone. No column can be taken for another one's value.

    Examples
    --------
    >>> group_term("region", "JP"), group_term("region", None), group_term("a=b", "c")
    ('region=JP', 'region', 'a%3Db=c')
    """
    column = column.replace("%", "%25").replace("=", "%3D")
    return column if value is None else f"{column}={value}"


class Summaries:
    """Series documents of one metric set, as a load changes them."""

    def __init__(self, door: Door, index: str, about: MetricSetInfo) -> None:
        self.about, self.key = about, names.set_key(about.project, about.metric_set)
        mine = [{"term": {"set": self.key}}, {"term": {"doc": "series"}}]
        found = scan(door, index, mine, ["series_id"])
        self._docs: dict[str, dict[str, Any]] = {hit["_source"]["series_id"]: hit["_source"] for hit in found}
        self._touched: set[str] = set()
        self.known_before = self.known()

    def known(self) -> set[str]:
        """Return series that have points."""
        return {sid for sid, doc in self._docs.items() if doc["known"]}

    @property
    def named(self) -> set[str]:
        """Series of which is known what they are."""
        return {sid for sid, doc in self._docs.items() if "metric" in doc}

    def name_series(self, identities: Mapping[str, Mapping[str, Any]]) -> None:
        """Say what series are; `identities` has column_name, metric, entity and group_key (as pairs) of each."""
        for sid, identity in identities.items():
            doc = self._docs.get(sid)
            if doc is None or "metric" not in doc:
                self._docs[sid] = {**self._blank(sid, doc), **self._identity(identity)}
                self._touched.add(sid)

    def put(self, room: str, month: int, entries: Entries) -> None:
        """Replace what a month of a room gives to every series."""
        at = str(month)
        for sid, doc in self._docs.items():
            if sid not in entries and doc["months"].get(room, {}).pop(at, None) is not None:
                self._touched.add(sid)
        for sid, entry in entries.items():
            doc = self._docs.get(sid)
            if doc is None:
                doc = self._docs[sid] = self._blank(sid)
            parts = doc["months"].setdefault(room, {})
            if parts.get(at) != entry:
                parts[at] = entry
                self._touched.add(sid)

    def actions(self, generation: int) -> Iterator[Action]:
        """Yield what has to be written: series that changed, and the metric set."""
        options = {"version": generation, "version_type": "external_gte"}
        for sid in self._touched:
            _derive(self._docs[sid])
        known, newest = self._known()
        for sid, doc in self._docs.items():
            if doc["strongest"] is None:
                doc["attention"] = None
                continue
            now = attention(SimpleNamespace(
                strength=doc["strongest"], last=doc["last_anomaly"], newest_period=newest, period=self.about.period,
            ))  # fmt: skip
            if (
                sid in self._touched or doc["attention"] < now
            ):  # what was flagged may be younger again, but never in between
                doc["attention"] = now
                self._touched.add(sid)
        for sid, doc in list(self._docs.items()):
            stale = bool(doc["known"] and doc["last_period"] < newest)
            if doc["is_stale"] != stale:
                doc["is_stale"] = stale
                self._touched.add(sid)
            if sid not in self._touched:
                continue
            if any(doc["months"].values()):
                yield action("index", sid, doc, **options)
            else:
                yield action("delete", sid, **options)
        yield action("index", names.set_id(self.key), self._metric_set(known, newest), **options)

    def metric_set_document(self) -> dict[str, Any]:
        """Return what the document of the metric set says."""
        return self._metric_set(*self._known())

    def _known(self) -> tuple[list[dict[str, Any]], int | None]:
        """Return the series that have points, and the newest period."""
        known = [doc for doc in self._docs.values() if doc["known"]]
        return known, max((doc["last_period"] for doc in known), default=None)

    def _metric_set(self, known: list[dict[str, Any]], newest: int | None) -> dict[str, Any]:
        columns = {column for doc in known for column in doc["group_columns"]}
        return {
            "doc": "set", **self._where(), "period": self.about.period, "timezone": self.about.timezone, "newest_period": newest,
            "n_series": len(known), "group_columns": sorted(columns),
        }  # fmt: skip

    def _where(self) -> dict[str, Any]:
        return {"set": self.key, "project": self.about.project, "metric_set": self.about.metric_set}

    def _blank(self, sid: str, doc: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return {
            "doc": "series", **self._where(), "series_id": sid, "known": False, "is_stale": False, "months": {}, "group_columns": [],
            **(doc or {}),
        }  # fmt: skip

    def _identity(self, identity: Mapping[str, Any]) -> dict[str, Any]:
        group = dict(identity["group_key"]["pairs"])
        name = series_name(identity["column_name"], identity["metric"], identity["entity"], group)
        text = folded(f"{name} {self.about.project} {self.about.metric_set}")
        return {
            "column_name": identity["column_name"], "metric": identity["metric"], "entity": identity["entity"], "name": name,
            "name_order": name[:KEYWORD], "search_text": text[:KEYWORD], "group_by": ",".join(sorted(group)),
            "group_key": {"pairs": sorted(group.items())}, "group_columns": sorted(group),
            "groups": [group_term(column, value) for column, value in sorted(group.items())],
        }  # fmt: skip


def _derive(doc: dict[str, Any]) -> None:
    """Bring a series' summary up to date with its months."""
    months = {room: parts for room, parts in doc["months"].items() if parts}
    points = [months[names.POINTS][at] for at in sorted(months.get(names.POINTS, ()))]
    doc["months"] = months
    doc["known"] = bool(points) and "metric" in doc
    doc["n_points"] = sum(part[0] for part in points)
    doc["first_period"] = min((part[1] for part in points), default=None)
    _, _, doc["last_period"], doc["last_value"] = points[-1] if points else _NEVER
    doc["last_expected"] = _expected(months.get(names.BANDS, {}), doc["last_period"])
    doc["change"] = _change(doc["last_value"], doc["last_expected"])
    flags = [tuple(flag) for part in months.get(names.ANOMALIES, {}).values() for flag in part]
    doc["anomaly_periods"] = sorted({flag[0] for flag in flags})
    doc["strong_periods"] = sorted({flag[0] for flag in flags if flag[1] > 0})
    doc["strongest"] = max((flag[1] for flag in flags), default=None)
    doc["last_anomaly"] = max((flag[0] for flag in flags), default=None)
    doc["flags"] = pack(flags)


def _expected(months: Mapping[str, Mapping[str, Any]], last_period: int | None) -> float | None:
    """Return what the first detector by name expected of the newest point."""
    found = [
        (detector, expected)
        for part in months.values()
        for detector, (at, expected) in part.items()
        if at == last_period and expected is not None
    ]
    return min(found)[1] if found else None


def _change(value: float | None, expected: float | None) -> float:
    """How far the newest value is from what was expected, relative to it."""
    if value is None or expected is None:
        return 0.0
    return min(abs(value - expected) / (abs(expected) or 1.0), LARGEST)


def pack(flags: list[tuple[Any, ...]]) -> str | None:
    """Pack (period, strength, score) of anomalies; a score that is unknown is NaN."""
    if not flags:
        return None
    rows = (_FLAG.pack(at, strength, math.nan if score is None else score) for at, strength, score in flags)
    return base64.b64encode(b"".join(rows)).decode()


def unpack(packed: str) -> list[tuple[float, float, float]]:
    """Unpack to (period, strength, score) of each; no arrays, because most series have a handful."""
    return list(_FLAG.iter_unpack(base64.b64decode(packed)))
