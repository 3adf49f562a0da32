"""Months are merged file by file: killed at any moment, beside any load, and with nothing lost."""

from __future__ import annotations

import signal
from contextlib import nullcontext
from datetime import date, timedelta
from functools import partial
from itertools import count

import pytest

from lupus_provider import clock
from lupus_provider.errors import CorruptStoreError
from lupus_provider.records import POINTS
from lupus_provider.stores import open_history, parquet
from lupus_provider.stores.history import merging
from lupus_provider.stores.history.manifest import Manifest
from lupus_provider.stores.history.merging import Merging
from lupus_provider.stores.history.parquet import ParquetHistory
from lupus_provider.stores.objects.local import LocalObjects
from lupus_provider.testing.builders import METRIC_SET, PROJECT, a_point, day, incoming, points
from lupus_provider.testing.history import END, KEY, everything, keep_up_and_die, load, values
from lupus_provider.testing.processes import finish, start

FOLDER = f"points/project={PROJECT}/metric_set={METRIC_SET}"
DAYS = (0, 1, 2, 31, 32)
WANTED = {day(n): float(n) for n in DAYS}


@pytest.fixture
def history(tmp_path):
    return ParquetHistory(tmp_path)


def files(history):
    """Return the files that readers open, by the folder above their version."""
    return sorted(path.parent.parent.name for path in history.objects.root.rglob("part.parquet"))


def test_a_merged_month_is_one_file_and_its_days_go_after_their_grace(history, monkeypatch):
    load(history, WANTED)
    history.compact(*KEY, END)
    assert len(files(history)) == 2 + len(DAYS)
    now = clock.utc_now()
    monkeypatch.setattr(clock, "utc_now", lambda: now + timedelta(hours=2))
    load(history, {day(60): 60.0})
    assert files(history) == ["dt=2024-03-01", "month=2024-01", "month=2024-02"]
    assert values(history) == {**WANTED, day(60): 60.0}


def test_a_reader_that_opened_the_days_reads_on(history):
    load(history, WANTED)
    reader = history.scan(merging.HistoryQuery(*KEY))
    history.compact(*KEY, END)
    assert reader.read_all().num_rows == len(DAYS)


@pytest.mark.parametrize("before", [None, day(31).date()], ids=["compact", "expire"])
def test_killed_before_any_write_it_is_mended_by_its_repetition(tmp_path, before):
    for at in count(1):
        reopen = partial(open_history, (tmp_path / str(at)).as_uri())
        load(history := reopen(), WANTED)
        code = finish(start(keep_up_and_die, reopen, at, before))
        mended = {start: value for start, value in WANTED.items() if before is None or start.date() >= before}
        assert values(history) in ([WANTED] if before is None else [WANTED, mended])
        load(history, {day(1): 100.0})  # a load comes first
        keep_up_and_die(reopen, 0, before)
        assert values(history) == {**{start: v for start, v in mended.items() if start != day(1)}, **(
            {day(1): 100.0} if before is None else {}
        )}  # fmt: skip
        load(history, {day(60): 1.0})
        living = Manifest.read(history.objects, FOLDER).versions()
        assert {path.parent.name for path in (tmp_path / str(at)).rglob("part.parquet")} <= living
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert at > 4


def test_a_day_that_is_loaded_while_its_month_is_merged_wins(history, monkeypatch):
    monkeypatch.setattr(LocalObjects, "is_exclusive", False)  # as in a bucket: nobody waits for anybody
    monkeypatch.setattr(LocalObjects, "exclusive", lambda *_: nullcontext())
    load(history, WANTED)
    written = []
    encoded = parquet.encoded

    def slow(*args, **kwargs):
        if kwargs.get("is_merged") and not written:
            written.append(1)
            load(history, {day(1): 100.0, day(5): 5.0})
        return encoded(*args, **kwargs)

    monkeypatch.setattr(parquet, "encoded", slow)
    done = history.compact(*KEY, END)
    assert done.months == 2
    assert values(history) == {**WANTED, day(1): 100.0, day(5): 5.0}
    assert "merged" not in Manifest.read(history.objects, FOLDER).days["2024-01-02"]
    assert history.compact(*KEY, END).months == 1
    assert values(history) == {**WANTED, day(1): 100.0, day(5): 5.0}


def test_a_merge_that_took_too_long_is_written_again(history, monkeypatch):
    monkeypatch.setattr(LocalObjects, "is_exclusive", False)
    monkeypatch.setattr(LocalObjects, "exclusive", lambda *_: nullcontext())
    load(history, WANTED)
    now, writes = clock.utc_now(), []
    monkeypatch.setattr(clock, "utc_now", lambda: now)
    real = Merging._write

    def slow(self, *args):
        nonlocal now
        made = real(self, *args)
        if not writes:
            now += timedelta(hours=13)
            load(history, {day(2): 3.0})  # so that the switch fails, and is tried again
        writes.append(made.path)
        return made

    monkeypatch.setattr(Merging, "_write", slow)
    history.compact(*KEY, date(2024, 2, 1))
    assert len(writes) == 2
    assert values(history) == {**WANTED, day(2): 3.0}


def test_a_month_whose_day_is_damaged_stays_and_the_others_are_merged(history):
    load(history, WANTED)
    entry = Manifest.read(history.objects, FOLDER).days["2024-01-02"]
    table = points(a_point(7.0, day(1)))
    history.objects.put(entry["path"], parquet.encoded(table, POINTS, "digest", day(400)))
    with pytest.raises(CorruptStoreError, match="2024-01 holds other records for 2024-01-02T00:00Z"):
        history.compact(*KEY, END)
    days = Manifest.read(history.objects, FOLDER).days
    assert [day for day in days if "merged" in days[day]] == ["2024-02-01", "2024-02-02"]


def test_a_month_of_very_many_rows_is_not_merged(history, monkeypatch):
    load(history, WANTED)
    monkeypatch.setattr(merging, "MOST_ROWS", 2)
    assert history.compact(*KEY, END).months == 1  # the one of two rows


def test_expired_rows_leave_the_disk_with_the_next_merge(history, monkeypatch):
    load(history, WANTED)
    history.compact(*KEY, END)
    history.expire(*KEY, day(2).date())
    assert history.compact(*KEY, END).months == 1
    now = clock.utc_now()
    monkeypatch.setattr(clock, "utc_now", lambda: now + timedelta(hours=2))
    load(history, {day(60): 60.0})
    (january,) = history.objects.root.rglob("month=2024-01/*/part.parquet")
    assert parquet.read(str(january), POINTS).num_rows == 1


def test_a_load_of_one_hour_takes_the_others_of_its_day_from_the_months_file(history):
    load(history, {day(n, hour): float(hour) for n in range(3) for hour in (0, 7)})
    history.compact(*KEY, END)
    load(history, {day(1, 7): 70.0})
    assert values(history) == {day(n, hour): float(hour) for n in range(3) for hour in (0, 7)} | {day(1, 7): 70.0}


def test_series_are_found_in_a_month_of_many_row_groups(history, monkeypatch):
    monkeypatch.setattr(parquet, "_MERGED_GROUP_ROWS", 7)
    for n in range(3):
        rows = points(*(a_point(float(i), day(n), entity=str(i)) for i in range(20)))
        history.load(*KEY, lambda rows=rows, n=n: [incoming(day(n), rows)])
    wanted = a_point(entity="11")["series_id"]
    before = everything(history, series_ids=[wanted])
    history.compact(*KEY, END)
    assert everything(history, series_ids=[wanted]) == before
    assert before.num_rows == 3
