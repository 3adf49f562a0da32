"""The catalogue of a history: where other people's SQL finds it, such as Hive's metastore. Told of a version only when it is whole.

The history's manifest stays the truth and is what Lupus reads; a day whose version the catalogue was not told yet is told again by the next
load, so a catalogue that is away delays nobody but its own readers.

Laws (tests/contract/test_catalog.py): publishing twice equals publishing once · a reader of the catalogue sees the old version of a day or the
new one, whole · days and metric sets do not touch each other · a dropped day has no rows, and one that is published again has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from lupus_provider.records import RecordKind


@dataclass(frozen=True, slots=True)
class Version:
    """What one day of a metric set has become."""

    dt: date
    """UTC date of the periods' starts; the partition."""
    url: str
    """Folder of the version, `s3://bucket/…/dt=D/v=V/` or `file:///…`; it holds one Parquet file and never changes."""
    n_rows: int


class Catalog(Protocol):
    """Where other people's SQL finds the history."""

    name: str
    """For messages, such as `hive_default.lupus`."""

    def publish(self, kind: RecordKind, project: str, metric_set: str, versions: Sequence[Version]) -> None:
        """Switch readers of the catalogue to these versions; tables are made if need be.

        Raises
        ------
        CatalogError
            If nothing could be told: a statement was refused, or the catalogue is away. The next load tries again.
        DaysUntoldError
            If some days could not be told (`stores.history.errors`); the others are.
        """
        ...

    def drop(self, kind: RecordKind, project: str, metric_set: str, days: Sequence[date]) -> None:
        """Show readers of the catalogue these days no more; one that it does not show is no error. Raises as `publish`."""
        ...
