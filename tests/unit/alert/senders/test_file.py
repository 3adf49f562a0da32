from __future__ import annotations

import fcntl
import json
import subprocess
import sys

import pytest

from lupus_provider.alert.senders.file import FileSender
from lupus_provider.errors import DeliveryError, Transient


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_message_is_one_line(tmp_path):
    path = tmp_path / "deep" / "alerts.jsonl"
    FileSender(path).send("m1", {"title": "Zürich\n🦊", "text": "a\u2028b"})
    assert [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]] == [
        {"message_id": "m1", "title": "Zürich\n🦊", "text": "a\u2028b"}
    ]


def test_a_repeat_leaves_one_line(tmp_path):
    sender = FileSender(tmp_path / "a.jsonl")
    for message in ("m1", "m2", "m1"):
        sender.send(message, {"title": "t"})
    assert [line["message_id"] for line in lines(sender.path)] == ["m1", "m2"]


def test_a_text_that_quotes_an_id_does_not_hide_that_message(tmp_path):
    sender = FileSender(tmp_path / "a.jsonl")
    sender.send("m1", {"text": '"message_id": "m2"'})
    sender.send("m2", {"message_id": "m3", "text": "real"})
    assert [line["message_id"] for line in lines(sender.path)] == ["m1", "m2"]


@pytest.mark.parametrize("half", [b'{"message_id": "m2", "ti', b"x" * 200_000])
def test_a_line_that_a_killed_writer_left_is_cut_off(tmp_path, half):
    sender = FileSender(tmp_path / "a.jsonl")
    sender.send("m1", {"title": "t" * 70_000})
    with sender.path.open("ab") as file:
        file.write(half)
    sender.send("m2", {"title": "u"})
    assert [line["message_id"] for line in lines(sender.path)] == ["m1", "m2"]


def test_a_file_of_half_a_line_only_starts_anew(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"mess')
    FileSender(path).send("m1", {})
    assert lines(path) == [{"message_id": "m1"}]


def test_a_line_that_somebody_else_wrote_stays_and_stops_nothing(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("# cleared on Monday\n[1]\n")
    FileSender(path).send("m1", {})
    assert path.read_text() == '# cleared on Monday\n[1]\n{"message_id": "m1"}\n'


def test_a_file_that_cannot_be_written_is_tried_again_later(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(DeliveryError, match=r"alerts\.jsonl") as caught:
        FileSender(tmp_path / "taken" / "alerts.jsonl").send("m1", {})
    assert isinstance(caught.value, Transient)


def test_a_writer_waits_for_the_other_and_sees_what_it_wrote(tmp_path):
    path = tmp_path / "a.jsonl"
    code = (
        "import fcntl, sys; from pathlib import Path; from lupus_provider.alert.senders.file import FileSender\n"
        "lock = fcntl.flock\n"
        "fcntl.flock = lambda *args: (print('asks', flush=True), lock(*args))\n"
        "FileSender(Path(sys.argv[1])).send('m1', {})"
    )
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        other = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
        assert other.stdout is not None
        assert other.stdout.readline() == "asks\n"
        file.write(b'{"message_id": "m1"}\n')
    other.communicate()
    assert other.returncode == 0
    assert lines(path) == [{"message_id": "m1"}]


def test_writers_side_by_side_lose_and_double_nothing(tmp_path):
    path = tmp_path / "a.jsonl"
    code = (
        "import sys; from pathlib import Path; from lupus_provider.alert.senders.file import FileSender\n"
        "for i in range(30): FileSender(Path(sys.argv[1])).send(f'm{i}', {'title': 'x' * 5000})"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert sorted(line["message_id"] for line in lines(path)) == sorted(f"m{i}" for i in range(30))
