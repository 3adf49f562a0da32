"""by_period: every period gets its records, also when it has none."""

from __future__ import annotations

from lupus_provider.records.cut import by_period
from lupus_provider.testing.builders import a_point, day, points


def test_every_period_comes_with_its_records_and_no_others():
    table = points(*(a_point(float(n), day(n), entity=e) for n in (2, 0, 5) for e in "ab"))
    cut = {start: sorted(part["value"].to_pylist()) for start, part in by_period(table, [day(n) for n in range(3)])}
    assert cut == {day(0): [0.0, 0.0], day(1): [], day(2): [2.0, 2.0]}


def test_no_records_are_empty_periods():
    assert [part.num_rows for _, part in by_period(points(), [day(0), day(1)])] == [0, 0]
