"""Loads periods into the index: fills their slots, clears those that are gone. Runs inside one transaction of the caller."""

from __future__ import annotations

import json
import math
import secrets
import unicodedata
from datetime import UTC
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from lupus_provider.detectors import Outcome
from lupus_provider.naming import series_name
from lupus_provider.records import ANOMALIES, EVALUATIONS, POINTS, RecordKind
from lupus_provider.stores.index import documents, tables as t
from lupus_provider.stores.sql import chunks, upsert

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from lupus_provider.stores.history.base import Incoming
    from lupus_provider.stores.index.base import MetricSetInfo

OUTCOMES = tuple(outcome.word for outcome in Outcome)
SEVERITY_WEIGHT = {"low": 0.5, "medium": 1.0, "high": 1.5, "critical": 2.0}
NO_SCORE = 1e-4
"""Probability that stands for an anomaly whose detector gives none."""

Key = tuple[Any, ...]
Document = tuple[np.ndarray, list[np.ndarray], dict[int, str]]


def strength(score: float | None, severity: str) -> float:
    """How much an anomaly asks for attention: decades of improbability, weighted by severity."""
    return SEVERITY_WEIGHT.get(severity, 1.0) * -math.log10(min(max(NO_SCORE if score is None else score, 1e-300), 1.0))


def folded(text: str) -> str:
    """Form in which words are compared: neither case nor the way a letter is composed counts, in any script."""
    return unicodedata.normalize("NFKC", text).casefold()


def load_periods(connection: Connection, kind: RecordKind, about: MetricSetInfo, changed: Sequence[Incoming]) -> int:
    """Make the changed periods' records what the index says of them; return how many records came."""
    taken = [item.taken(kind) for item in changed]
    table = pa.concat_tables([records for records, _ in taken])
    periods = np.array(sorted(epoch(item.period_start) for item in changed), np.int64)
    if kind is ANOMALIES:
        _load_anomalies(connection, about, table, periods)
    elif kind is EVALUATIONS:
        _load_bands(connection, about, table, periods)
    else:
        _load_series(connection, about, table)
        _load_points(connection, about, table, periods)
    if kind is not ANOMALIES:
        _summarise(connection, about)
    _touch(connection, about)
    mine = {"kind": kind.name, "project": about.project, "metric_set": about.metric_set}
    upsert(
        connection,
        t.loaded,
        [{**mine, "period": epoch(item.period_start), "digest": digest} for item, (_, digest) in zip(changed, taken)],
    )
    return table.num_rows


def epoch(moment: datetime) -> int:
    """Epoch seconds."""
    return int(moment.timestamp())


def quarter_of(start: datetime) -> tuple[int, int]:
    """Year and quarter in UTC: a part of a load that is switched at once, so that a long one bounds its memory."""
    start = start.astimezone(UTC)
    return start.year, (start.month - 1) // 3


def _seconds(column: pa.ChunkedArray) -> np.ndarray:
    return column.cast(pa.int64()).to_numpy() // 1_000_000


def _floats(table: pa.Table, name: str) -> np.ndarray:
    return table[name].cast(pa.float64()).to_numpy(zero_copy_only=False)


# -- documents -----------------------------------------------------------------------------------------------------------


def _slices(
    keys: Sequence[np.ndarray], at: np.ndarray, columns: Sequence[np.ndarray], notes: Mapping[Key, str]
) -> Iterator[tuple[Key, Document]]:
    """Cut records into documents by their keys; the records are sorted here."""
    order = np.lexsort((at, *reversed(keys)))
    keys, at, columns = [k[order] for k in keys], at[order], [c[order] for c in columns]
    if not len(at):
        return
    edges = np.flatnonzero(np.any([k[1:] != k[:-1] for k in keys], axis=0)) + 1
    for start, stop in zip([0, *edges], [*edges, len(at)]):
        key = tuple(k[start] for k in keys)
        mine = {int(x): notes[(*key, int(x))] for x in at[start:stop] if (*key, int(x)) in notes} if notes else {}
        yield key, (at[start:stop], [c[start:stop] for c in columns], mine)


def _merged(
    existing: Mapping[Key, Document], new: Iterable[tuple[Key, Document]], replaced: np.ndarray
) -> dict[Key, Document]:
    """Documents that change: replaced periods' slots cleared and new ones filled; an empty document has no slots left."""
    merged: dict[Key, Document] = {}
    new = list(new)
    fresh = {key for key, _ in new}
    for key, (at, columns, notes) in existing.items():
        keep = ~np.isin(at, replaced)
        if keep.all() and key not in fresh:
            continue
        merged[key] = (
            at[keep],
            [c[keep] for c in columns],
            {k: v for k, v in notes.items() if k in set(at[keep].tolist())},
        )
    for key, (at, columns, notes) in new:
        if key not in merged or not len(merged[key][0]):
            merged[key] = (at, columns, notes)
            continue
        old_at, old_columns, old_notes = merged[key]
        both = np.concatenate([old_at, at])
        order = np.argsort(both, kind="stable")
        merged[key] = (
            both[order],
            [np.concatenate([a, b])[order] for a, b in zip(old_columns, columns)],
            {**old_notes, **notes},
        )
    return merged


def _of(table: sa.Table, about: MetricSetInfo) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.project == about.project, table.c.metric_set == about.metric_set)


def _existing(
    connection: Connection, table: sa.Table, keys: Sequence[str], about: MetricSetInfo, months: Sequence[int]
) -> dict[Key, Document]:
    columns = [table.c[name] for name in keys]
    statement = sa.select(*columns, table.c.slots).where(_of(table, about), table.c.month.in_(months))
    return {tuple(row[:-1]): documents.decode(row[-1]) for row in connection.execute(statement)}


def _write(
    connection: Connection,
    table: sa.Table,
    keys: Sequence[str],
    merged: Mapping[Key, Document],
    rows: list[dict[str, Any]],
) -> None:
    upsert(connection, table, rows)
    empty = [key for key, document in merged.items() if not len(document[0])]
    if empty:
        condition = sa.and_(*(table.c[name] == sa.bindparam(f"k_{name}") for name in keys))
        connection.execute(
            sa.delete(table).where(condition), [{f"k_{n}": v for n, v in zip(keys, key)} for key in empty]
        )


def _plain(key: Key) -> Key:
    return tuple(int(part) if isinstance(part, np.integer) else part for part in key)


def _null(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


# -- points --------------------------------------------------------------------------------------------------------------


def _load_series(connection: Connection, about: MetricSetInfo, table: pa.Table) -> None:
    """Add series that the index does not know yet."""
    ids = table["series_id"].combine_chunks()
    known = {row[0] for row in connection.execute(sa.select(t.series.c.series_id).where(_of(t.series, about)))}
    encoded = (pa.concat_arrays(ids.chunks) if isinstance(ids, pa.ChunkedArray) else ids).dictionary_encode()
    codes, first = np.unique(encoded.indices.to_numpy(), return_index=True)
    words = encoded.dictionary.to_pylist()
    new = [at for code, at in zip(codes.tolist(), first.tolist()) if words[code] not in known]
    identity = table.select(["series_id", "column_name", "metric", "entity", "group_key"]).take(
        pa.array(new, pa.int64())
    )
    rows, groups = [], []
    for row in identity.to_pylist():
        group = dict(row["group_key"])
        name = series_name(row["column_name"], row["metric"], row["entity"], group)
        rows.append({
            "series_id": row["series_id"], "project": about.project, "metric_set": about.metric_set, "column_name": row["column_name"],
            "metric": row["metric"], "entity": row["entity"], "group_key": json.dumps(sorted(group.items())), "group_by": ",".join(sorted(group)),
            "name": name, "search_text": folded(f"{name} {about.project} {about.metric_set}"), "n_points": 0,
        })  # fmt: skip
        groups += [{"series_id": row["series_id"], "column": column, "value": value} for column, value in group.items()]
    upsert(connection, t.series, rows)
    upsert(connection, t.series_group, groups)


def _load_points(connection: Connection, about: MetricSetInfo, table: pa.Table, periods: np.ndarray) -> None:
    ids = table["series_id"].to_numpy(zero_copy_only=False)
    at = _seconds(table["period_start"])
    n_rows = np.nan_to_num(_floats(table, "n_rows"), nan=-1.0)
    failed = table.filter(pc.field("error").is_valid())
    failed_at = _seconds(failed["period_start"])
    notes = {
        (sid, int(month), int(x)): text
        for sid, month, x, text in zip(
            failed["series_id"].to_pylist(), documents.months(failed_at), failed_at, failed["error"].to_pylist()
        )
    }
    new = _slices([ids, documents.months(at)], at, [_floats(table, "value"), n_rows], notes)
    keys = ("series_id", "month")
    existing = _existing(connection, t.points, keys, about, np.unique(documents.months(periods)).tolist())
    merged = {
        _plain(key): document for key, document in _merged(existing, ((_plain(k), d) for k, d in new), periods).items()
    }
    rows = [
        {
            "series_id": sid, "month": month, "project": about.project, "metric_set": about.metric_set, "n": len(at),
            "first_period": int(at[0]), "last_period": int(at[-1]), "last_value": _null(columns[0][-1]),
            "slots": documents.encode(at, columns, notes),
        }
        for (sid, month), (at, columns, notes) in merged.items() if len(at)
    ]  # fmt: skip
    _write(connection, t.points, keys, merged, rows)


# -- verdicts ------------------------------------------------------------------------------------------------------------


def _load_bands(connection: Connection, about: MetricSetInfo, table: pa.Table, periods: np.ndarray) -> None:
    says_something = (pc.field(name).is_valid() for name in ("expected", "lower", "upper"))
    table = table.filter(reduce(or_, says_something))
    at = _seconds(table["period_start"])
    known = {outcome: float(i) for i, outcome in enumerate(OUTCOMES)}
    outcome = np.array([known[name] for name in table["outcome"].to_pylist()], np.float64)
    columns = [_floats(table, name) for name in ("expected", "lower", "upper", "score")] + [outcome]
    names = [table[name].to_numpy(zero_copy_only=False) for name in ("series_id", "detector")]
    new = _slices([*names, documents.months(at)], at, columns, {})
    keys = ("series_id", "detector", "month")
    existing = _existing(connection, t.bands, keys, about, np.unique(documents.months(periods)).tolist())
    merged = {
        _plain(key): document for key, document in _merged(existing, ((_plain(k), d) for k, d in new), periods).items()
    }
    rows = [
        {
            "series_id": sid, "detector": detector, "month": month, "project": about.project, "metric_set": about.metric_set,
            "last_period": int(at[-1]), "last_expected": _null(columns[0][-1]), "slots": documents.encode(at, columns),
        }
        for (sid, detector, month), (at, columns, _) in merged.items() if len(at)
    ]  # fmt: skip
    _write(connection, t.bands, keys, merged, rows)


def _load_anomalies(connection: Connection, about: MetricSetInfo, table: pa.Table, periods: np.ndarray) -> None:
    for part in chunks(periods.tolist()):
        connection.execute(sa.delete(t.anomaly).where(_of(t.anomaly, about), t.anomaly.c.period.in_(part)))
    same = [name for name in ANOMALIES.schema.names if name != "period_start" and name not in ANOMALIES.provenance]
    rows = [
        {
            **{name: row[name] for name in same},
            "period": epoch(row["period_start"]), "project": about.project, "metric_set": about.metric_set,
            "strength": strength(row["score"], row["severity"]),
        }
        for row in table.to_pylist()  # anomalies are few by design
    ]  # fmt: skip
    upsert(connection, t.anomaly, rows)


# -- summaries -----------------------------------------------------------------------------------------------------------


def _summarise(connection: Connection, about: MetricSetInfo) -> None:
    """Bring the series' summary columns up to date; drop series without any point."""
    p, b, s = t.points, t.bands, t.series
    mine = p.c.series_id == s.c.series_id
    newest = sa.select(p.c.last_value).where(mine).order_by(p.c.month.desc()).limit(1).scalar_subquery()
    connection.execute(sa.update(s).where(_of(s, about)).values(
        n_points=sa.select(sa.func.coalesce(sa.func.sum(p.c.n), 0)).where(mine).scalar_subquery(),
        first_period=sa.select(sa.func.min(p.c.first_period)).where(mine).scalar_subquery(),
        last_period=sa.select(sa.func.max(p.c.last_period)).where(mine).scalar_subquery(),
        last_value=newest,
    ))  # fmt: skip
    expected = (
        sa.select(b.c.last_expected)
        .where(b.c.series_id == s.c.series_id, b.c.last_period == s.c.last_period, b.c.last_expected.is_not(None))
        .order_by(b.c.detector).limit(1).scalar_subquery()
    )  # fmt: skip
    connection.execute(sa.update(s).where(_of(s, about)).values(last_expected=expected))
    gone = sa.select(s.c.series_id).where(_of(s, about), s.c.n_points == 0)
    connection.execute(sa.delete(t.series_group).where(t.series_group.c.series_id.in_(gone)))
    connection.execute(sa.delete(s).where(_of(s, about), s.c.n_points == 0))
    newest_period = sa.select(sa.func.max(s.c.last_period)).where(_of(s, about)).scalar_subquery()
    connection.execute(sa.update(t.metric_set).where(_of(t.metric_set, about)).values(newest_period=newest_period))


def _touch(connection: Connection, about: MetricSetInfo) -> None:
    """Give the metric set a version that it never had: who holds its columns reads them again."""
    connection.execute(sa.update(t.metric_set).where(_of(t.metric_set, about)).values(version=secrets.randbits(62)))


def clear_before(connection: Connection, about: MetricSetInfo, before: int) -> int:
    """Drop everything of a metric set that started before an instant; return how many periods are gone.

    Whole months go by their rows; of the month in which the instant lies each document is written again without its old slots.
    """
    month, c = documents.month_of(before), t.loaded.c
    mine = sa.and_(c.project == about.project, c.metric_set == about.metric_set, c.period < before)
    gone = connection.execute(sa.select(c.period).where(mine)).scalars().all()
    a = t.anomaly.c
    connection.execute(sa.delete(t.anomaly).where(_of(t.anomaly, about), a.period < before))
    for table in (t.points, t.bands):
        connection.execute(sa.delete(table).where(_of(table, about), table.c.month < month))
    old = np.array(sorted({at for at in gone if documents.month_of(at) == month}), np.int64)
    if len(old):
        nothing = {kind: kind.empty() for kind in (POINTS, EVALUATIONS)}
        _load_points(connection, about, nothing[POINTS], old)
        _load_bands(connection, about, nothing[EVALUATIONS], old)
    if gone:
        connection.execute(sa.delete(t.loaded).where(mine))
        _summarise(connection, about)
        _touch(connection, about)
    return len(gone)
