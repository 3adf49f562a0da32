"""Cuts records into periods: the stage holds one file a period."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime


def by_period(table: pa.Table, starts: Sequence[datetime]) -> Iterator[tuple[datetime, pa.Table]]:
    """Yield every period with its records, also periods without any.

    Parameters
    ----------
    table
        Records with `period_start`.
    starts
        Period starts, oldest first.
    """
    table = table.sort_by("period_start")
    at = table["period_start"].cast(pa.int64()).to_numpy()
    edges = np.array([int(start.timestamp() * 1_000_000) for start in starts], np.int64)
    begins, ends = np.searchsorted(at, edges, "left"), np.searchsorted(at, edges, "right")
    for start, begin, end in zip(starts, begins, ends):
        yield start, table.slice(begin, end - begin)
