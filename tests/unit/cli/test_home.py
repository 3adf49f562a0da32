from __future__ import annotations

import json
import os
from collections import namedtuple

import pytest
from hypothesis import given, strategies as st

from lupus_provider.cli import home as module
from lupus_provider.cli.errors import DemoRunningError, NoSpaceError
from lupus_provider.cli.home import DemoHome, digest, write_private


@pytest.fixture
def home(tmp_path):
    place = DemoHome(tmp_path / "home")
    place.prepare()
    return place


def test_the_home_is_for_its_owner_only(home):
    assert home.root.stat().st_mode & 0o077 == 0


def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage(1, 1, 1_000_000))
    with pytest.raises(NoSpaceError, match=r"has 1 MB of free disk and the demo needs 500 MB"):
        DemoHome(tmp_path / "home").prepare()


def test_secrets_are_made_once_and_private(home):
    first = home.credentials()
    assert home.credentials() == first
    for path in (home.root / "secrets.json", home.passwords):
        assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(home.passwords.read_text()) == {"admin": first.password}


def test_two_homes_have_different_secrets(tmp_path, home):
    other = DemoHome(tmp_path / "other")
    other.prepare()
    assert other.credentials().password != home.credentials().password


def test_a_home_takes_one_demo_at_a_time(home):
    held = home.lock()
    with pytest.raises(DemoRunningError, match="another demo is running"):
        home.lock()
    os.close(held)
    os.close(home.lock())


def test_deleted_stores_are_another_generation(home):
    first = home.generation()
    assert home.generation() == first
    (home.stores / "generation").unlink()
    assert home.generation() != first


def test_a_private_file_never_exists_with_open_permissions_or_half(tmp_path):
    path = tmp_path / "secret.json"
    write_private(path, {"a": "1"})
    write_private(path, {"a": "2"})
    assert json.loads(path.read_text()) == {"a": "2"}
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


@given(st.lists(st.binary(max_size=4), max_size=4), st.lists(st.binary(max_size=4), max_size=4))
def test_digests_differ_where_any_part_or_border_does(left, right):
    assert (digest(*left) == digest(*right)) == (left == right)
