"""Where the rows of a metric set come from: a table, its time column, and the labels that arrive later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from lupus_provider.config.parts import ColumnName, Duration, Model, check_zone


class Table(Model):
    """A table: exactly one of `table` and `path`."""

    table: str | None = None
    """Table name, `schema.table`: of the catalogue where Spark reads, else of the DuckDB file `database`."""
    path: str | None = None
    """Parquet, CSV or JSON-lines file or glob, relative to the data folder; or an address such as `s3a://bucket/folder`."""
    database: str | None = None
    """DuckDB file of `table`, relative to the data folder."""

    @model_validator(mode="after")
    def _one_place(self) -> Table:
        if (self.table is None) == (self.path is None):
            raise ValueError("give exactly one of 'table' and 'path'")
        if self.database is not None and self.table is None:
            raise ValueError("'database' goes with 'table'")
        return self


class Source(Table):
    """The table that is measured: exactly one of `table` and `path`."""

    time_column: str | None = None
    """Column that says when a row happened: timestamp, date, or ISO text. Without it every run measures the whole table."""
    time_zone: str | None = None
    """Zone of timestamps without a zone; UTC if not given. Dates are always days of the project's zone."""
    where: str | None = None
    """SQL condition on the rows to measure."""

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, zone: str | None) -> str | None:
        return zone if zone is None else check_zone(zone)


class Join(Model):
    """Labels that arrive after the predictions; rows without one wait for it."""

    labels: Table
    """Table of the labels."""
    on: ColumnName
    """Column of both tables that names a prediction."""
    within: Duration | None = None
    """Labels that came later after the prediction than this do not count: `14d`. Needs both time columns."""
    label_time_column: ColumnName | None = None
    """Column of the labels that says when each arrived; of several labels the newest counts."""

    @model_validator(mode="after")
    def _both_times(self) -> Join:
        if self.within is not None and self.label_time_column is None:
            raise ValueError("'within' needs 'label_time_column', which says when a label arrived")
        return self


class Sample(Model):
    """A part of the rows, the same ones in every run."""

    ratio: Annotated[float, Field(gt=0, le=1)]
    """Share of the rows that are measured."""
    by: ColumnName | None = None
    """Column whose value decides, such as the user; without it the engine draws rows."""


class FixedReference(Table):
    """What drift is measured against: a table of its own, such as the training set, or a span of the source. Measured once and kept."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    table: str | None = None
    """Table name; without `table` and `path` it is the metric set's own source."""
    where: str | None = None
    """SQL condition on the reference's rows."""
    first: date | None = Field(None, alias="from")
    """First local day of the reference."""
    last: date | None = Field(None, alias="to")
    """Last local day of the reference, inclusive."""
    time_column: ColumnName | None = None
    """Column that says when a row happened, where the reference is a table of its own and has `from` and `to`."""

    @model_validator(mode="after")
    def _one_place(self) -> FixedReference:
        if self.table is not None and self.path is not None:
            raise ValueError("give at most one of 'table' and 'path'")
        if self.database is not None and self.table is None:
            raise ValueError("'database' goes with 'table'")
        if (self.first is None) != (self.last is None):
            raise ValueError("give both 'from' and 'to', or none")
        if self.first is not None and self.last is not None and self.last < self.first:
            raise ValueError(f"'to' {self.last} is before 'from' {self.first}")
        if not self.has_own_table and self.first is None and self.where is None:
            raise ValueError("say what to compare with: 'table' or 'path', or 'from' and 'to', or 'where'")
        if not self.has_own_table and self.time_column is not None:
            raise ValueError("'time_column' goes with 'table' or 'path'; the source says its own")
        return self

    @property
    def has_own_table(self) -> bool:
        """Whether it is another table than the metric set's source."""
        return self.table is not None or self.path is not None


class WindowReference(Model):
    """What drift is measured against: the periods before, from their stored histograms."""

    window: Annotated[int, Field(ge=1, le=400)]
    """Each period is compared with so many periods before it that have values."""


class VersionReference(Model):
    """What drift is measured against: the model version before, from its stored histograms. Needs `model_version_column`."""

    model_version: Literal["previous"]
    """`previous`: the version that appeared before."""
    window: Annotated[int, Field(ge=1, le=400)] = 28
    """Periods of the version before that count, its last ones."""


def reference_kind(given: object) -> str:
    """Return which reference the keys mean; without a telling key it is a fixed one."""
    if isinstance(given, WindowReference | VersionReference):
        return "window" if isinstance(given, WindowReference) else "model_version"
    keys = given if isinstance(given, dict) else {}
    return next((kind for kind in ("model_version", "window") if kind in keys), "fixed")


REFERENCES: Mapping[str, type[Model]] = {
    "fixed": FixedReference, "window": WindowReference, "model_version": VersionReference,
}  # fmt: skip
"""What `reference_kind` says → its keys."""
AnyReference = Annotated[
    Annotated[FixedReference, Tag("fixed")]
    | Annotated[WindowReference, Tag("window")]
    | Annotated[VersionReference, Tag("model_version")],
    Discriminator(reference_kind),
]
