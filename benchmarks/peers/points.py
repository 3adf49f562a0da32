"""Compares results of many points: a digest that does not depend on their order, and a few values by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peer import Task, value_name

if TYPE_CHECKING:
    import duckdb

NAMES = ("column_name", "metric", "entity", "grp", "value")


def described(relation: duckdb.DuckDBPyRelation, task: Task) -> dict[str, Any]:
    """Return count, digest and probed values of a relation with the columns `column_name metric entity grp value`.

    Undefined values and zeros are left out: competitors differ in whether they tell of a group without items. Twelve digits are
    compared, because sums of doubles depend on their order.
    """
    told = relation.filter("value IS NOT NULL AND value <> 0 AND column_name <> ''")
    text = "concat_ws('|', column_name, metric, coalesce(entity, ''), coalesce(grp, ''), printf('%.11e', value))"
    ((n_values, digest),) = told.aggregate(f"count(*), CAST(bit_xor(hash({text})) AS VARCHAR)").fetchall()
    return {"n_values": n_values, "digest": digest, "values": probed(told, task)}


def probed(told: duckdb.DuckDBPyRelation, task: Task) -> dict[str, float]:
    """Return the values of the groups that the task compares, without the long tail of entities."""
    groups = ", ".join(f"'{group}'" for group in task["probe"])
    rows = told.filter(f"coalesce(grp, '') IN ({groups}) AND (entity IS NULL OR column_name <> 'interests')").fetchall()
    names = told.columns
    place = [names.index(name) for name in NAMES]
    return {
        value_name(c, m, g or "", e or ""): float(v) for c, m, e, g, v in (tuple(row[i] for i in place) for row in rows)
    }
