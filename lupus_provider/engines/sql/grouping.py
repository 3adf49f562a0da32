"""The groups of a query: one row a period, group set and group.

Two forms. Usually the engine's GROUPING SETS roll up rows that are there once. Where small groups are folded, a group's name depends on the
group set, so rows are there once a group set, with its number in a column.
"""

# ruff: noqa: S608  (identifiers are ours)

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from lupus_provider.engines.base import GROUP_SET, PERIOD, SLICE, group_column
from lupus_provider.metrics.plan import ColumnType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lupus_provider.metrics.plan import GroupSet, MetricPlan

MASK = "lupus_mask"
SMALL = "…small"
"""Group of the rows whose own groups have fewer than `min_group_rows` rows."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """Groups of one plan.

    Attributes
    ----------
    sets
        Group sets to compute.
    folded
        Whether the base relation holds a row once a group set, in column `group_set`.
    sliced
        Whether the base relation holds a row once a slice, in column `lupus_slice`, null for all rows.
    floats
        Group columns of the base relation that are texts of floats → the type.
    """

    plan: MetricPlan
    sets: tuple[GroupSet, ...]
    folded: bool
    sliced: bool
    floats: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: MetricPlan, type_of: Callable[[str], ColumnType | str] | None = None) -> Grouping:
        """Return the grouping of a plan; `type_of` says the types of a table's columns."""
        types = {group_column(i): type_of(c) for i, c in enumerate(plan.group_columns)} if type_of else {}
        floats = {c: kind.name for c, kind in types.items() if isinstance(kind, ColumnType) and kind.number == "float"}
        return cls(plan, plan.group_sets, folded=plan.min_group_rows > 1, sliced=bool(plan.slices), floats=floats)

    @property
    def columns(self) -> list[str]:
        """Group columns of the base relation."""
        return [group_column(i) for i in range(len(self.plan.group_columns))]

    @property
    def carried(self) -> list[str]:
        """Columns that every source of an aggregation must carry."""
        return [PERIOD, *([SLICE] if self.sliced else []), *([GROUP_SET] if self.folded else []), *self.columns]

    @property
    def keys(self) -> list[str]:
        """Columns that together name a group in an aggregated relation."""
        return [PERIOD, *([SLICE] if self.sliced else []), *self.columns, MASK]

    def selected(self, extra: Sequence[str] = ()) -> str:
        """Return the SQL of the key columns and `extra` in an aggregation."""
        if self.folded:
            mask = f"CAST({GROUP_SET} AS BIGINT)"
        elif self.columns and len(self.sets) > 1:
            weights = (f"GROUPING({column}) * {1 << i}" for i, column in enumerate(self.columns))
            mask = f"CAST({' + '.join(weights)} AS BIGINT)"
        else:
            mask = "CAST(0 AS BIGINT)"
        period = f"CAST(0 AS INT) AS {PERIOD}" if self._has_one_period else PERIOD
        return ", ".join([period, *self.keys[1:-1], *extra, f"{mask} AS {MASK}"])

    @property
    def _has_one_period(self) -> bool:
        """Whether rows need not be grouped by their period. Without any other column to group by, no rows would make a group."""
        return self.plan.periods is None and bool(self.columns) and (self.folded or len(self.sets) == 1)

    def group_by(self, extra: Sequence[str] = ()) -> str:
        """Return the GROUP BY clause."""
        always = [c for c in self.carried if c not in self.columns and not (c == PERIOD and self._has_one_period)]
        if self.folded or not self.columns or len(self.sets) == 1:  # one set holds all columns
            return f"GROUP BY {', '.join([*always, *self.columns, *extra])}"
        names = dict(zip(self.plan.group_columns, self.columns))
        sets = (f"({', '.join([*always, *(names[c] for c in one), *extra])})" for one in self.sets)
        return f"GROUP BY GROUPING SETS ({', '.join(sets)})"

    def placed(self, table: pa.Table) -> pa.Table:
        """Replace the mask of an answer by the index of the group set in the plan, -1 for a whole that the plan does not ask for."""
        columns, index = self.plan.group_columns, {}
        for number, group_set in enumerate(self.sets):
            rolled_up = sum(1 << i for i, column in enumerate(columns) if column not in group_set)
            place = self.plan.group_sets.index(group_set) if group_set in self.plan.group_sets else -1
            index[number if self.folded else rolled_up] = place
        known = np.array(sorted(index), np.int64)
        places = np.array([index[mask] for mask in sorted(index)], np.int32)
        found = places[np.searchsorted(known, table[MASK].to_numpy())]
        for column, type_name in self.floats.items():
            texts = table[column].combine_chunks().dictionary_encode()
            spelled = pa.array([float_text(text, type_name) for text in texts.dictionary.to_pylist()], pa.string())
            table = table.set_column(table.column_names.index(column), column, spelled.take(texts.indices))
        return table.drop_columns([MASK]).append_column(GROUP_SET, pa.array(found, pa.int32()))

    def folded_rows(self, base: str, columns: Sequence[str]) -> str:
        """Return the query of the rows of `base` once a group set, groups of fewer than `min_group_rows` rows renamed to `…small`.

        The whole is never folded.
        """
        always = [PERIOD, *([SLICE] if self.sliced else [])]
        names = dict(zip(self.plan.group_columns, self.columns))
        parts = []
        for number, group_set in enumerate(self.sets):
            inside = [names[column] for column in group_set]
            size = f"count(*) OVER (PARTITION BY {', '.join([*always, *inside])})"
            small = f"{size} < {int(self.plan.min_group_rows)}" if inside else "1 = 0"
            groups = [
                f"CASE WHEN lupus_small THEN '{SMALL}' ELSE {c} END AS {c}"
                if c in inside
                else f"CAST(NULL AS STRING) AS {c}"
                for c in self.columns
            ]
            rows = f"SELECT *, {small} AS lupus_small FROM {base}"
            parts.append(
                f"SELECT {', '.join([*always, f'{number} AS {GROUP_SET}', *groups, *columns])} FROM ({rows}) AS sized"
            )
        return " UNION ALL ".join(parts)


def float_text(text: str, type_name: str) -> str:
    """Return the text of a float in one spelling, the shortest that names the number: engines write 1e+16 and 1.0E16.

    Parameters
    ----------
    text
        As an engine wrote it; what is no number stays, such as the name of small groups.
    type_name
        `FLOAT` has 32 bits, all others 64.

    Examples
    --------
    >>> (
    ...     float_text("1.0E16", "DOUBLE"),
    ...     float_text("0.1", "FLOAT"),
    ...     float_text("NaN", "DOUBLE"),
    ...     float_text("…small", "DOUBLE"),
    ... )
    ('1e+16', '0.1', 'nan', '…small')
    """
    try:
        return repr(float(str(np.float32(text)) if type_name == "FLOAT" else text))
    except ValueError:
        return text


def group_sql(value: str, column_type: ColumnType) -> str:
    """Return the SQL of a group column's value before it becomes a text: -0.0 is 0.0."""
    return f"CASE WHEN {value} = 0 THEN abs({value}) ELSE {value} END" if column_type.number == "float" else value
