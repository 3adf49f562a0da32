"""Files: whole or absent, locks, and the leavings of the dead."""

from __future__ import annotations

import errno

import pytest

from lupus_provider.errors import StoreBusyError
from lupus_provider.stores import files
from lupus_provider.stores.files import TEMPORARY, locked, replacing, sweep_temporary
from lupus_provider.testing.faults import disk_full, injected


def put(root, path, content):
    with replacing(root, path) as file:
        file.write(content)


def test_a_file_is_replaced_whole_and_nothing_else_stays(tmp_path):
    for content in (b"old", b"new"):
        put(tmp_path, tmp_path / "deep" / "file", content)
    assert (tmp_path / "deep" / "file").read_bytes() == b"new"
    assert list((tmp_path / TEMPORARY).iterdir()) == []


def test_a_full_disk_raises_and_leaves_the_old_file(tmp_path):
    put(tmp_path, tmp_path / "file", b"old")
    with injected(0, disk_full) as acts:
        put(tmp_path, tmp_path / "file", b"old")
    for at in range(1, acts.names.index("replace") + 2):
        with injected(at, disk_full), pytest.raises(OSError, match="No space left") as caught:
            put(tmp_path, tmp_path / "file", b"new")
        assert caught.value.errno == errno.ENOSPC
        assert (tmp_path / "file").read_bytes() == b"old"
    assert list((tmp_path / TEMPORARY).iterdir()) == []


def test_a_living_writers_file_is_not_swept(tmp_path):
    with replacing(tmp_path, tmp_path / "file") as file:
        assert sweep_temporary(tmp_path) == 0
        file.write(b"content")
    assert (tmp_path / "file").read_bytes() == b"content"


def test_a_dead_writers_file_is_swept(tmp_path):
    folder = tmp_path / TEMPORARY
    folder.mkdir()
    (folder / "left").write_bytes(b"half of")
    assert sweep_temporary(tmp_path) == 1
    assert list(folder.iterdir()) == []


def test_a_file_swept_before_its_writer_locked_it_is_made_anew(tmp_path, monkeypatch):
    real, swept = files.fcntl.flock, []

    def sweep_first(file, operation):
        if not swept and not operation & files.fcntl.LOCK_NB:
            swept.append(sweep_temporary(tmp_path))
        return real(file, operation)

    monkeypatch.setattr(files.fcntl, "flock", sweep_first)
    put(tmp_path, tmp_path / "file", b"content")
    assert swept == [1]
    assert (tmp_path / "file").read_bytes() == b"content"


def test_a_lock_is_waited_for_only_so_long(tmp_path):
    with locked(tmp_path / ".lock"):
        with pytest.raises(StoreBusyError), locked(tmp_path / ".lock", seconds=0.05):
            pass
    with locked(tmp_path / ".lock", seconds=0):
        pass
