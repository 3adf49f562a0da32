from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from lupus_provider.dag_factory.stub import ForeignFileError, stub_name, stub_text, sync_stubs, write_stub

NASTY = (
    "a\rimport os\x0bimport os\x0cimport os\x1cimport os\x85import os\u2028import os\u2029import os\x00\\\nimport os"
)


def calls(text: str) -> list[str]:
    """What a stub does, beside its comment."""
    return [ast.unparse(node) for node in ast.parse(text).body]


def expected(path: Path) -> list[str]:
    return [
        "from __future__ import annotations",
        "from lupus_provider.dag_factory import load_project_dags",
        f"load_project_dags(globals(), {str(path)!r})",
    ]


def test_a_stub_says_where_it_comes_from_and_shows_the_file(tmp_path):
    path = tmp_path / "shop.yaml"
    path.write_text("project: shop\n\nowner: café\n")
    text = stub_text(path)
    assert calls(text) == expected(path)
    assert text.endswith("# project: shop\n# \n# owner: café\n".replace("# \n", "# \n"))
    assert b"airflow" in text.lower().encode()
    assert b"dag" in text.encode()


def test_no_text_of_a_project_file_becomes_code(tmp_path):
    path = tmp_path / "shop.yaml"
    path.write_bytes(NASTY.encode())
    assert calls(stub_text(path)) == expected(path)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=80) | st.text(max_size=80).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_bytes_of_a_project_file_become_code(tmp_path, raw):
    path = tmp_path / "shop.yaml"
    path.write_bytes(raw)
    text = stub_text(path)
    assert calls(text.encode().decode()) == expected(path)


@pytest.mark.parametrize(
    "name",
    [
        "it's.yaml",
        'say "hi".yaml',
        "line\nimport os.yaml",
        "coding: utf-7.yaml",
        "{0}.yaml",
        "é\u2028.yaml",
        "back\\slash.yaml",
    ],
)
def test_no_name_of_a_project_file_becomes_code(tmp_path, name):
    path = tmp_path / name
    path.write_text("project: shop\n")
    text = stub_text(path)
    assert calls(text) == expected(path)
    assert compile(text.encode(), "stub.py", "exec")


def test_two_endings_are_two_stubs():
    assert [stub_name(Path(name)) for name in ("shop.yaml", "shop.yml")] == ["shop.py", "shop.yml.py"]


def test_a_sync_writes_changes_and_removes(tmp_path):
    projects, dags = tmp_path / "projects", tmp_path / "dags"
    projects.mkdir()
    for name in ("a", "b"):
        (projects / f"{name}.yaml").write_text("project: x\n")
    assert len(sync_stubs(projects, dags).written) == 2
    assert sync_stubs(projects, dags).kept == 2
    (projects / "a.yaml").write_text("project: y\n")
    (projects / "b.yaml").unlink()
    changed = sync_stubs(projects, dags)
    assert ([path.name for path in changed.written], [path.name for path in changed.removed]) == (["a.py"], ["b.py"])
    assert [path.name for path in dags.iterdir()] == ["a.py"]


def test_files_of_other_people_are_neither_removed_nor_overwritten(tmp_path):
    (tmp_path / "projects").mkdir()
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "own.py").write_text("print('mine')")
    (tmp_path / "dags" / "shop.py").write_text("print('mine')")
    sync_stubs(tmp_path / "projects", tmp_path / "dags")
    (tmp_path / "projects" / "shop.yaml").write_text("project: shop\n")
    with pytest.raises(ForeignFileError, match="was not written by Lupus"):
        sync_stubs(tmp_path / "projects", tmp_path / "dags")
    assert {path.read_text() for path in (tmp_path / "dags").iterdir()} == {"print('mine')"}


def test_projects_that_are_away_remove_nothing(tmp_path):
    (tmp_path / "projects").mkdir()
    (tmp_path / "projects" / "shop.yaml").write_text("project: shop\n")
    sync_stubs(tmp_path / "projects", tmp_path / "dags")
    (tmp_path / "projects").rename(tmp_path / "away")
    with pytest.raises(FileNotFoundError):
        sync_stubs(tmp_path / "projects", tmp_path / "dags")
    assert (tmp_path / "dags" / "shop.py").exists()


def test_a_project_file_that_has_just_gone_writes_nothing(tmp_path):
    assert write_stub(tmp_path / "gone.yaml", tmp_path) is False


def test_the_stub_of_a_killed_writer_is_cleaned_up(tmp_path):
    (tmp_path / "projects").mkdir()
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / ".writing-abc").write_text("half")
    sync_stubs(tmp_path / "projects", tmp_path / "dags")
    assert list((tmp_path / "dags").iterdir()) == []


def test_stubs_are_written_without_airflow():
    code = "import sys; import lupus_provider.dag_factory.stub; print([name for name in sys.modules if name.split('.')[0] == 'airflow'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
