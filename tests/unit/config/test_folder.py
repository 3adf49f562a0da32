from __future__ import annotations

import os

import pytest

from lupus_provider.config.folder import files_of, project_files


@pytest.fixture
def put(tmp_path):
    def put(name: str, text: str) -> None:
        (tmp_path / name).write_text(text)

    return put


def test_yaml_files_are_listed_by_name_and_nothing_else_is(put, tmp_path):
    for name in ("b.yaml", "a.yml", ".c.yaml", "d.yaml~", "e.txt", ".#f.yaml"):
        put(name, "")
    (tmp_path / "g.yaml").mkdir()
    assert [path.name for path in project_files(tmp_path)] == ["a.yml", "b.yaml"]


def test_a_folder_that_is_away_is_an_error_not_empty(tmp_path):
    with pytest.raises(FileNotFoundError):
        project_files(tmp_path / "away")


def test_the_file_that_is_named_like_the_project_has_the_right_to_the_name(put, tmp_path):
    put("a.yaml", "project: shop\n")
    put("shop.yaml", "# ours\nproject: 'shop'\n")
    put("other.yaml", "project: shopping\n")
    assert [path.name for path in files_of(tmp_path, "shop")] == ["shop.yaml", "a.yaml"]


def test_a_changed_claim_is_seen(put, tmp_path):
    put("a.yaml", "project: shop\n")
    assert files_of(tmp_path, "shop")
    put("a.yaml", "project: bank\n")
    os.utime(tmp_path / "a.yaml", ns=(1, 1))
    assert files_of(tmp_path, "shop") == []
    assert [path.name for path in files_of(tmp_path, "bank")] == ["a.yaml"]


def test_a_claim_must_be_a_key_of_the_file_itself(put, tmp_path):
    put("a.yaml", "metric_sets:\n  project: shop\n# project: shop\n")
    assert files_of(tmp_path, "shop") == []


@pytest.mark.parametrize("line", ["project: shop", "project: shop # ours", 'project: "shop"', "project :  shop\r"])
def test_a_claim_is_read_as_yaml_reads_it(put, tmp_path, line):
    put("a.yaml", f"{line}\n")
    assert len(files_of(tmp_path, "shop")) == 1


def test_a_name_that_only_starts_alike_is_no_claim(put, tmp_path):
    put("a.yaml", "project: shop-x\n")
    put("b.yaml", "project: shop x\n")
    assert files_of(tmp_path, "shop") == []
