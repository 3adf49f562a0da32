"""The laws of an object storage, as tests: subclass `ObjectLaws` and give the fixture `objects`, an empty storage."""

# ruff: noqa: D102  (the names of the laws are their sentences)

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pyarrow.fs as pafs
import pytest

from lupus_provider.stores.objects.errors import ConflictError

if TYPE_CHECKING:
    from lupus_provider.stores.objects.base import Objects


def keys(objects: Objects, prefix: str = "", start_after: str = "") -> list[str]:
    """Return the keys that a listing shows."""
    return [stored.key for stored in objects.list(prefix, start_after)]


class ObjectLaws:
    """What every object storage keeps."""

    def test_what_is_put_is_got(self, objects: Objects) -> None:
        etag = objects.put("a/b=1/c.bin", b"content", {"lupus-says": "x"})
        content, stored = objects.get("a/b=1/c.bin")
        assert (content, stored.key, stored.etag, stored.size) == (b"content", "a/b=1/c.bin", etag, 7)
        head = objects.head("a/b=1/c.bin")
        assert head is not None
        assert (head.etag, head.size, head.modified.utcoffset()) == (etag, 7, stored.modified.utcoffset())
        assert head.metadata.get("lupus-says", "x") == "x"

    def test_what_is_absent_is_said_to_be(self, objects: Objects) -> None:
        assert objects.head("nothing") is None
        assert keys(objects) == []
        with pytest.raises(FileNotFoundError):
            objects.get("nothing")
        objects.delete(["nothing"])

    def test_an_object_is_replaced_whole(self, objects: Objects) -> None:
        first = objects.put("k", b"a longer text")
        assert objects.put("k", b"short") != first
        assert objects.get("k")[0] == b"short"

    def test_a_large_object_is_whole(self, objects: Objects) -> None:
        content = bytes(range(256)) * (80 << 10)  # 20 MB: more than goes up in one piece
        etag = objects.put("large", memoryview(content), if_absent=True)
        assert objects.get("large")[0] == content
        with pytest.raises(ConflictError):
            objects.put("large", content, if_absent=True)
        assert objects.put("large", content, if_match=etag)
        assert objects.get("large")[0] == content

    def test_a_put_if_absent_never_replaces(self, objects: Objects) -> None:
        objects.put("k", b"first", if_absent=True)
        with pytest.raises(ConflictError, match="k"):
            objects.put("k", b"second", if_absent=True)
        assert objects.get("k")[0] == b"first"

    def test_a_put_if_match_replaces_only_what_was_seen(self, objects: Objects) -> None:
        seen = objects.put("k", b"first")
        objects.put("k", b"by somebody else")
        with pytest.raises(ConflictError):
            objects.put("k", b"third", if_match=seen)
        assert objects.get("k")[0] == b"by somebody else"
        with pytest.raises(ConflictError):
            objects.put("absent", b"x", if_match=seen)

    def test_of_many_writers_one_wins(self, objects: Objects) -> None:
        def put(n: int) -> bool:
            try:
                with objects.exclusive(".lock"):
                    objects.put("raced", str(n).encode(), if_absent=True)
            except ConflictError:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(put, range(8)))
        assert won.count(True) == 1
        assert objects.get("raced")[0] == str(won.index(True)).encode()

    def test_a_listing_is_sorted_and_keeps_to_its_prefix_and_start(self, objects: Objects) -> None:
        names = ["a-b/x", "a/dt=2024-01-01/1", "a/dt=2024-01-01/2", "a/dt=2024-01-02/1", "a/z", "ab"]
        for name in reversed(names):
            objects.put(name, b"")
        assert keys(objects) == names
        assert keys(objects, "a/dt=") == names[1:4]
        assert keys(objects, "a/dt=", "a/dt=2024-01-01/1") == names[2:4]
        assert keys(objects, "a/dt=", "a/dt=2024-01-02") == names[3:4]
        assert keys(objects, "a/dt=2024-01-0") == names[1:4]
        assert keys(objects, "nothing") == []

    def test_a_listing_of_more_than_a_thousand_is_complete(self, objects: Objects) -> None:
        names = [f"many/{n:05d}" for n in range(1_203)]
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda name: objects.put(name, b"x"), names))
        assert keys(objects, "many/") == names
        assert keys(objects, "many/", names[999]) == names[1000:]
        objects.delete(names[1:])
        assert keys(objects) == names[:1]

    def test_keys_may_hold_what_names_hold(self, objects: Objects) -> None:
        name = "dt=2024-01-01/a b+c é.txt"
        objects.put(name, b"1")
        assert keys(objects) == [name]
        assert objects.get(name)[0] == b"1"

    def test_a_copy_in_another_process_reaches_the_same(self, objects: Objects) -> None:
        objects.put("k", b"1")
        assert pickle.loads(pickle.dumps(objects)).get("k")[0] == b"1"  # noqa: S301  (our own bytes)

    def test_arrow_reads_the_same(self, objects: Objects) -> None:
        objects.put("a/k", b"content")
        door = objects.arrow()
        assert door is not None
        fs, root = door
        assert fs.open_input_file(f"{root}/a/k").read() == b"content"
        assert isinstance(fs, pafs.FileSystem)

    def test_a_storage_that_keeps_conditions_passes_their_check(self, objects: Objects) -> None:
        objects.put("k", b"1")
        objects.check_conditions("k")
        assert objects.get("k")[0] == b"1"


__all__ = ["ObjectLaws", "keys"]
