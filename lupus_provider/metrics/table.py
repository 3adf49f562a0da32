"""Metrics of the table as a whole: its rows, its newest event, repeated keys, and its schema.

Row metrics come from the scan; schema metrics need no scan at all, so they are a kind of their own.
"""

# ruff: noqa: D102  (`state`, `finish` and `of_schema` are documented once, in their base classes)

from __future__ import annotations

import hashlib
from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from lupus_provider.metrics.base import Family, Floats, Kind, Metric, NumberMetric, Over, Primitive, Unit, Worse, ratio
from lupus_provider.metrics.registry import register

if TYPE_CHECKING:
    from collections.abc import Mapping


@register
class RowCount(NumberMetric):
    """Number of rows. Zero rows are 0, not undefined."""

    name = "row_count"
    family = Family.TABLE
    over = Over.ROWS
    unit = Unit.COUNT
    bounds = (0, np.inf)
    stands_on = Primitive("rows")

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {"rows": Primitive("rows")}

    def finish(self, **state: Floats) -> Floats:
        return np.nan_to_num(state["rows"])


@register
class FreshnessSeconds(NumberMetric):
    """Seconds from the newest event time of the period to the period's end: end - max(time column).

    Undefined without rows, or where no row has a time. Rows beyond the period do not count, so it is above zero.
    """

    name = "freshness_seconds"
    family = Family.TABLE
    accepts = Kind.TIME
    unit = Unit.SECONDS
    worse = Worse.HIGHER
    bounds = (0, np.inf)

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {"newest": Primitive("max"), "period_end": Primitive("period_end")}

    def finish(self, **state: Floats) -> Floats:
        return state["period_end"] - state["newest"]


@register
class DuplicateRatio(NumberMetric):
    """Share of rows whose key an earlier row has already: (rows - distinct keys) / rows; undefined without rows.

    A key with nulls is a key like any other: two rows without it are duplicates.
    """

    name = "duplicate_ratio"
    family = Family.TABLE
    over = Over.KEY
    unit = Unit.RATIO
    worse = Worse.HIGHER
    bounds = (0, 1)
    combines = False
    stands_on = Primitive("rows")

    @property
    def state(self) -> Mapping[str, Primitive]:
        return {"distinct": Primitive("distinct"), "rows": Primitive("rows")}

    def finish(self, **state: Floats) -> Floats:
        return ratio(state["rows"] - state["distinct"], state["rows"])


class SchemaMetric(Metric):
    """A metric of the columns that a table has, whatever its rows."""

    family = Family.TABLE
    over = Over.ROWS
    unit = Unit.COUNT
    bounds = (0, np.inf)
    needs_reference: ClassVar[bool] = False
    """Whether it compares with a reference schema."""

    @abstractmethod
    def of_schema(
        self, schema: Mapping[str, str], reference: Mapping[str, str] | None
    ) -> list[tuple[str | None, float]]:
        """Turn a schema into values.

        Parameters
        ----------
        schema, reference
            Column → type, in the words of Arrow.

        Returns
        -------
        list
            (entity, value) each; the entity None is the table.
        """


@register
class ColumnCount(SchemaMetric):
    """Number of columns."""

    name = "column_count"

    def of_schema(
        self, schema: Mapping[str, str], reference: Mapping[str, str] | None
    ) -> list[tuple[str | None, float]]:
        del reference
        return [(None, float(len(schema)))]


@register
class SchemaHash(SchemaMetric):
    """Number that changes when a column's name or type does: the first 48 bits of SHA-256 over the sorted names and types.

    The order of columns does not matter. 48 bits are exact in a double; two schemas share a number by chance once in 3e14.
    """

    name = "schema_hash"
    unit = Unit.NONE
    bounds = (0, 2.0**48)

    def of_schema(
        self, schema: Mapping[str, str], reference: Mapping[str, str] | None
    ) -> list[tuple[str | None, float]]:
        del reference
        text = "".join(f"{len(part)}:{part}" for pair in sorted(schema.items()) for part in pair)
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        return [(None, float(int.from_bytes(digest[:6], "big")))]


class _Changes(SchemaMetric):
    """Columns that differ from the reference: their number, and a value 1 for each, with the column as entity."""

    needs_reference = True
    worse = Worse.HIGHER

    def of_schema(
        self, schema: Mapping[str, str], reference: Mapping[str, str] | None
    ) -> list[tuple[str | None, float]]:
        named = sorted(self.differing(schema, reference or {}))
        return [(None, float(len(named))), *((name, 1.0) for name in named)]

    @abstractmethod
    def differing(self, schema: Mapping[str, str], reference: Mapping[str, str]) -> set[str]:
        """Columns that differ, as entities."""


@register
class ColumnsAdded(_Changes):
    """Columns that the reference schema lacks: their number, and one point for each that names it."""

    name = "columns_added"

    def differing(self, schema: Mapping[str, str], reference: Mapping[str, str]) -> set[str]:
        return set(schema) - set(reference)


@register
class ColumnsRemoved(_Changes):
    """Columns that only the reference schema has: their number, and one point for each that names it."""

    name = "columns_removed"

    def differing(self, schema: Mapping[str, str], reference: Mapping[str, str]) -> set[str]:
        return set(reference) - set(schema)


@register
class ColumnsRetyped(_Changes):
    """Columns of another type than in the reference schema: their number, and one point for each, `price: int64 → double`."""

    name = "columns_retyped"

    def differing(self, schema: Mapping[str, str], reference: Mapping[str, str]) -> set[str]:
        both = set(schema) & set(reference)
        return {f"{name}: {reference[name]} → {schema[name]}" for name in both if schema[name] != reference[name]}
