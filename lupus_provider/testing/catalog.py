"""The laws of a history's catalogue, as tests: subclass `CatalogLaws` and give the fixtures below.

`catalog` is one; `reopen()` opens the same in a session of its own; `lay(kind, project, metric_set, at, table)` writes a version's file where
the catalogue finds it and returns the version; `read(kind, project, metric_set)` returns what other people's SQL finds, as rows of plain
Python values with instants as naive UTC; `switches` is how often the reader's test switches.
"""

# ruff: noqa: D102  (the names of the laws are their sentences)

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from lupus_provider.records import ANOMALIES, POINTS, RecordKind
from lupus_provider.testing.builders import (
    METRIC_SET,
    PROJECT,
    a_point,
    an_anomaly,
    anomalies,
    day,
    points,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date, datetime

    import pyarrow as pa

    from lupus_provider.stores.history.catalog import Version
    from lupus_provider.stores.history.hive import HiveCatalog

    Lay = Callable[[RecordKind, str, str, datetime, pa.Table], Version]
    Read = Callable[[RecordKind, str, str], list[dict[str, Any]]]

KEY = (POINTS, PROJECT, METRIC_SET)


def rows(n: int, at: datetime) -> pa.Table:
    """Return so many points of a day."""
    return points(*(a_point(i / 7, at, entity=str(i)) for i in range(n)))


def laid(lay: Lay, sizes: dict[int, int], project: str = PROJECT, metric_set: str = METRIC_SET) -> list[Version]:
    """Lay a version for each day: number of the day → rows."""
    return [lay(POINTS, project, metric_set, day(n), rows(size, day(n))) for n, size in sizes.items()]


def counts(versions: Sequence[Version]) -> dict[date, int]:
    """Return what a reader must count; a later version of a day replaces an earlier one."""
    newest = {version.dt: version.n_rows for version in versions}
    return {dt: n for dt, n in newest.items() if n}


def plain(table: pa.Table) -> list[dict[str, Any]]:
    """Return a table's rows as `read` returns them."""
    found = table.to_pylist()
    for row in found:
        for name, value in row.items():
            if getattr(value, "tzinfo", None) is not None:
                row[name] = value.replace(tzinfo=None)
            elif name == "group_key":
                row[name] = dict(value)
    return found


class CatalogLaws:
    """What every catalogue keeps."""

    def test_what_is_published_is_found(self, catalog: HiveCatalog, lay: Lay) -> None:
        versions = laid(lay, {0: 3, 1: 4})
        catalog.publish(*KEY, versions)
        assert catalog.row_counts(*KEY) == counts(versions)

    def test_nothing_to_publish_is_no_error(self, catalog: HiveCatalog) -> None:
        catalog.publish(*KEY, [])

    def test_publishing_twice_equals_publishing_once(
        self, catalog: HiveCatalog, reopen: Callable[[], HiveCatalog], lay: Lay
    ) -> None:
        versions = laid(lay, {0: 3, 1: 4})
        for teller in (catalog, catalog, reopen()):
            teller.publish(*KEY, versions)
        assert catalog.row_counts(*KEY) == counts(versions)
        assert list(catalog.partitions(*KEY)) == [version.dt for version in versions]

    def test_a_newer_version_replaces_its_day_and_leaves_the_others(self, catalog: HiveCatalog, lay: Lay) -> None:
        old = laid(lay, {0: 3, 1: 4, 2: 5})
        catalog.publish(*KEY, old)
        before = catalog.partitions(*KEY)
        new = laid(lay, {1: 2, 3: 1})  # one day that is there, one that is not
        catalog.publish(*KEY, new)
        after = catalog.partitions(*KEY)
        assert catalog.row_counts(*KEY) == counts([*old, *new])
        assert {dt: after[dt] for dt in (old[0].dt, old[2].dt)} == {dt: before[dt] for dt in (old[0].dt, old[2].dt)}

    def test_an_emptied_day_has_no_rows(self, catalog: HiveCatalog, lay: Lay) -> None:
        old = laid(lay, {0: 3, 1: 4})
        catalog.publish(*KEY, old)
        new = laid(lay, {0: 0, 2: 0})
        catalog.publish(*KEY, new)
        assert catalog.row_counts(*KEY) == counts([*old, *new]) == {old[1].dt: 4}

    def test_many_days_are_published_in_one_call(self, catalog: HiveCatalog, lay: Lay) -> None:
        versions = laid(lay, {n: 1 + n % 3 for n in range(250)})
        catalog.publish(*KEY, versions)
        assert catalog.row_counts(*KEY) == counts(versions)

    def test_projects_metric_sets_and_kinds_do_not_touch_each_other(self, catalog: HiveCatalog, lay: Lay) -> None:
        keys = [(PROJECT, METRIC_SET), (PROJECT, "other"), ("other", METRIC_SET)]
        told = {key: laid(lay, {0: 2 + i, 1: 3}, *key) for i, key in enumerate(keys)}
        for key, versions in told.items():
            catalog.publish(POINTS, *key, versions)
        catalog.publish(ANOMALIES, PROJECT, METRIC_SET, [lay(ANOMALIES, *KEY[1:], day(), anomalies(an_anomaly()))])
        newest = laid(lay, {0: 9}, *keys[0])
        catalog.publish(POINTS, *keys[0], newest)
        told[keys[0]] += newest
        for key, versions in told.items():
            assert catalog.row_counts(POINTS, *key) == counts(versions)
        assert catalog.row_counts(ANOMALIES, PROJECT, METRIC_SET) == {day().date(): 1}

    def test_some_days_are_counted_where_some_are_asked_for(self, catalog: HiveCatalog, lay: Lay) -> None:
        versions = laid(lay, {0: 3, 1: 4, 2: 5})
        catalog.publish(*KEY, versions)
        assert catalog.row_counts(*KEY, [versions[1].dt, day(9).date()]) == {versions[1].dt: 4}

    def test_nothing_is_found_before_anything_is_published(self, catalog: HiveCatalog) -> None:
        assert catalog.row_counts(*KEY) == catalog.partitions(*KEY) == {}

    def test_other_peoples_sql_finds_every_value(self, catalog: HiveCatalog, lay: Lay, read: Read) -> None:
        group = {"país": "東京 🗼", "quote": 'o\'neil "x" \\ `y`; -- ${z} %s', "empty": ""}
        table = points(
            a_point(None, error="division by zero", n_rows=None), a_point(-1e-300, metric="sum", group_key=group),
            a_point(0.1 + 0.2, entity="é\n\t'", model_version="v'1", sample_ratio=0.25, collected_at=day(400, 23)),
        )  # fmt: skip
        catalog.publish(*KEY, [lay(*KEY, day(), table)])
        assert sorted(read(*KEY), key=lambda row: row["series_id"]) == plain(table)

    def test_instants_are_not_shifted(self, catalog: HiveCatalog, lay: Lay, read: Read) -> None:
        table = points(*(a_point(1.0, day(0, hour), period_end=day(1)) for hour in (0, 1, 12, 23)))
        catalog.publish(*KEY, [lay(*KEY, day(), table)])
        found = sorted(row["period_start"] for row in read(*KEY))
        assert found == [day(0, hour).replace(tzinfo=None) for hour in (0, 1, 12, 23)]

    def test_a_table_grows_with_the_records(
        self, catalog: HiveCatalog, reopen: Callable[[], HiveCatalog], lay: Lay, read: Read
    ) -> None:
        at = POINTS.schema.get_field_index("sample_ratio")
        earlier = RecordKind("points", POINTS.schema.remove(at), POINTS.key, POINTS.provenance, POINTS.written_at)
        old = points(a_point(1.0))
        catalog.publish(earlier, *KEY[1:], [lay(earlier, *KEY[1:], day(), old.drop_columns("sample_ratio"))])
        new = points(a_point(2.0, day(1), sample_ratio=0.5))
        grown = reopen()
        grown.publish(*KEY, [lay(*KEY, day(1), new)])
        assert {row["period_start"]: row["sample_ratio"] for row in read(*KEY)} == {
            day().replace(tzinfo=None): None,
            day(1).replace(tzinfo=None): 0.5,
        }
        newer = points(a_point(3.0, sample_ratio=0.75))  # into the partition that was made before the column
        grown.publish(*KEY, [lay(*KEY, day(), newer)])
        assert {row["sample_ratio"] for row in read(*KEY)} == {0.5, 0.75}

    def test_a_reader_sees_the_old_version_or_the_new_one_whole(
        self, catalog: HiveCatalog, reopen: Callable[[], HiveCatalog], lay: Lay, switches: int
    ) -> None:
        versions = [lay(*KEY, day(), rows(100 + n, day())) for n in range(switches + 1)]
        catalog.publish(*KEY, versions[:1])
        begun, done = [100], [100]

        def look() -> int:
            reader, looks = reopen(), 0
            while done[-1] < 100 + switches:
                least, found, most = done[-1], reader.row_counts(*KEY), begun[-1]
                assert least <= found.get(day().date(), 0) <= most, (least, found, most)
                looks += 1
            return looks

        with ThreadPoolExecutor(1) as pool:
            reader = pool.submit(look)
            for version in versions[1:]:
                begun.append(version.n_rows)
                catalog.publish(*KEY, [version])
                done.append(version.n_rows)
                if reader.done():
                    break
            assert reader.result() > 1

    def test_a_dropped_day_has_no_rows_and_comes_back_when_it_is_published(
        self, catalog: HiveCatalog, lay: Lay
    ) -> None:
        versions = laid(lay, {n: 2 + n for n in range(4)})
        catalog.drop(*KEY, [versions[0].dt])  # there is no table yet
        catalog.publish(*KEY, versions)
        other = laid(lay, {0: 3}, metric_set="other")
        catalog.publish(*KEY[:2], "other", other)
        gone = [version.dt for version in versions[:2]]
        for _ in range(2):
            catalog.drop(*KEY, [*gone, day(300).date()])
        assert catalog.row_counts(*KEY) == counts(versions[2:])
        assert list(catalog.partitions(*KEY)) == [version.dt for version in versions[2:]]
        assert catalog.row_counts(*KEY[:2], "other") == counts(other)
        catalog.publish(*KEY, versions[:1])
        assert catalog.row_counts(*KEY) == counts([versions[0], *versions[2:]])

    def test_more_days_than_one_session_switches_are_all_switched(self, catalog: HiveCatalog, lay: Lay) -> None:
        catalog.publish(*KEY, laid(lay, dict.fromkeys(range(20), 1)))
        newer = laid(lay, {n: 2 + n % 2 for n in range(20)})
        catalog.publish(*KEY, newer)
        assert catalog.row_counts(*KEY) == counts(newer)

    def test_a_server_in_utc_is_found_well(self, catalog: HiveCatalog) -> None:
        assert "answers" in catalog.check()


__all__ = ["KEY", "CatalogLaws", "counts", "laid"]
