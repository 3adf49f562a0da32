"""Points on their way over HTTP: a table of one period → the body of a request, and back.

Series ids do not travel: the receiver makes them of the names, so that nobody can write into another series.
"""

# Pyarrow makes its compute functions at run time, so its names say nothing to a type checker:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lupus_provider.errors import Terminal
from lupus_provider.naming import Hashes, entity_hashes, group_hashes, head_hash
from lupus_provider.processors.frames import encoded, id_column
from lupus_provider.records import GROUP_KEY, POINTS
from lupus_provider.wire import Group, PushRequest

if TYPE_CHECKING:
    from lupus_provider.periods import Period
    from lupus_provider.processors.assemble import Stamp

MOST_POINTS = 500_000
"""Points of one push."""
_LONGEST = 4_000
_PLAIN = ("column_name", "metric", "entity", "value", "n_rows", "error", "model_version")
_TEXTS = ("column_name", "metric", "entity", "error", "model_version")


class BadPointsError(Terminal, ValueError):
    """Points that were pushed cannot be stored."""

    def __init__(self, field: str, wrong: str, hint: str) -> None:
        self.field, self.wrong, self.hint = field, wrong, hint
        super().__init__(f"pushed points: {field!r} {wrong}. {hint}")


def request_of(table: pa.Table, period_start: datetime, run_id: str, collected_at: datetime) -> PushRequest:
    """Return the body that pushes the points of one period.

    Parameters
    ----------
    table
        Schema `records.POINTS`.
    run_id, collected_at
        Who measured them, and when.
    """
    keys = table["group_key"].to_pylist()
    groups = {tuple(key): None for key in keys}
    place = {key: i for i, key in enumerate(groups)}
    ends, samples = (pc.unique(table[name]).to_pylist() for name in ("period_end", "sample_ratio"))
    return PushRequest(
        period_start=int(period_start.timestamp()),
        period_end=int(ends[0].timestamp()) if ends else None,
        collected_at=collected_at.timestamp(),
        run_id=run_id,
        groups=[[Group(column=column, value=value) for column, value in key] for key in groups],
        group=[place[tuple(key)] for key in keys],
        sample_ratio=samples[0] if samples else None,
        **{name: table[name].to_pylist() for name in _PLAIN},
    )


def table_of(body: PushRequest, stamp: Stamp, period: Period) -> pa.Table:
    """Return the points of a request, schema `records.POINTS`.

    Parameters
    ----------
    stamp
        Whose points they are; its `run_id` and `collected_at` stand in them.

    Raises
    ------
    BadPointsError
        If lists differ in length, a text is too long, a name is empty, or a series comes twice.
    """
    n = len(body.group)
    _check(body, n)
    columns: dict[str, pa.Array] = {
        name: pa.array(getattr(body, name), POINTS.schema.field(name).type) for name in _PLAIN
    }
    keys = [{item.column: item.value for item in group} for group in body.groups]
    _check_texts(columns, keys)
    group = np.array(body.group, np.int64)
    ids = _heads(columns, stamp) ^ _entities(columns["entity"]) ^ group_hashes(keys)[group]
    found = columns | {
        "series_id": id_column(ids),
        "group_key": pa.array([sorted(key.items()) for key in keys], GROUP_KEY).take(pa.array(group)),
        "value": pa.array(np.array(columns["value"].to_numpy(zero_copy_only=False), float) + 0.0, from_pandas=True),
    }
    same = {
        "period_start": period.start, "period_end": period.end, "sample_ratio": body.sample_ratio, "run_id": stamp.run_id,
        "collected_at": stamp.collected_at,
    }  # fmt: skip
    found |= {name: pa.repeat(pa.scalar(value, POINTS.schema.field(name).type), n) for name, value in same.items()}
    if len(found["series_id"].unique()) < n:
        raise BadPointsError("group", "has a series twice", "Send one point for each column, metric, entity and group.")
    return pa.Table.from_arrays([found[name] for name in POINTS.schema.names], schema=POINTS.schema)


def collected_at(body: PushRequest) -> datetime:
    """Return when the points were measured."""
    return datetime.fromtimestamp(body.collected_at, UTC)


def _check(body: PushRequest, n: int) -> None:
    if n > MOST_POINTS:
        raise BadPointsError("group", f"has {n} items", f"Send at most {MOST_POINTS} a period.")
    for name in _PLAIN:
        if len(getattr(body, name)) != n:
            raise BadPointsError(name, f"has {len(getattr(body, name))} items and 'group' has {n}", "Send one a point.")
    if n and max(body.group) >= len(body.groups):
        raise BadPointsError("group", f"has {max(body.group)}", f"There are {len(body.groups)} groups, counted from 0.")
    if not all(body.metric):
        raise BadPointsError("metric", "has an empty name", "Name every metric.")


def _check_texts(columns: dict[str, pa.Array], keys: list[dict[str, str | None]]) -> None:
    texts = {name: columns[name] for name in _TEXTS}
    texts["groups"] = pa.array([text for key in keys for pair in key.items() for text in pair], pa.string())
    for name, array in texts.items():
        if (pc.max(pc.utf8_length(array)).as_py() or 0) > _LONGEST:
            raise BadPointsError(
                name, "has a text that is too long", f"Keep names, entities and errors below {_LONGEST} characters."
            )
        if pc.any(pc.match_substring(array, "\0")).as_py():
            raise BadPointsError(name, "has a text with a null character", "Databases cannot keep it; leave it out.")


def _heads(columns: dict[str, pa.Array], stamp: Stamp) -> Hashes:
    column, metric = encoded(columns["column_name"]), encoded(columns["metric"])
    pair = column.indices.to_numpy().astype(np.int64) * max(len(metric.dictionary), 1) + metric.indices.to_numpy()
    distinct, place = np.unique(pair, return_inverse=True)
    names = [
        (column.dictionary[p // len(metric.dictionary)], metric.dictionary[p % len(metric.dictionary)])
        for p in distinct.tolist()
    ]
    heads = [head_hash(stamp.project, stamp.metric_set, c.as_py(), m.as_py()) for c, m in names]
    return Hashes.joined([*heads, Hashes.of(["nothing"])])[place]


def _entities(column: pa.Array) -> Hashes:
    texts = encoded(column)
    found = Hashes.joined([entity_hashes(texts.dictionary.to_pylist()), Hashes.of(["nothing"])])
    return found[texts.indices.to_numpy()]
