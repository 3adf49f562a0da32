"""The script that sets a checkout up, without setting one up."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def script(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "scripts" / "bootstrap.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, folder in {"ROOT": "", "VENV": ".venv", "BIN": ".venv/bin", "UI": "ui"}.items():
        monkeypatch.setattr(module, name, tmp_path / folder)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / "ui" / "src").mkdir(parents=True)
    return module


def test_a_phase_is_done_once_and_again_when_its_inputs_or_its_product_change(script, tmp_path):
    lock, product, done = tmp_path / "a.lock", tmp_path / "product", []

    def work():
        done.append(1)
        product.touch()

    def phase():
        script.phase("a", "things", work, [lock], product)
        return len(done)

    lock.write_text("x==1")
    assert phase() == 1
    assert phase() == 1
    lock.write_text("x==2")
    assert phase() == 2
    product.unlink()
    assert phase() == 3


def test_a_phase_that_failed_is_not_remembered(script, tmp_path):
    def fail():
        raise script.SetupError

    with pytest.raises(script.SetupError):
        script.phase("a", "things", fail, [])
    assert not script.is_current("a", [])


def test_a_full_disk_is_one_sentence(script, monkeypatch):
    monkeypatch.setattr(script.shutil, "disk_usage", lambda _: SimpleNamespace(free=100_000_000))
    with pytest.raises(script.SetupError, match=r"0\.1 GB of free disk, and setting up needs 0\.5 GB"):
        script.check_disk()


def test_a_program_that_is_missing_is_one_sentence(script):
    with pytest.raises(script.SetupError, match="Install it"):
        script.run(["no-such-program-anywhere"], "Install it.")
    with pytest.raises(script.SetupError, match="It failed"):
        script.run(["false"], "It failed.")


def test_what_is_built_is_no_source(script, tmp_path):
    for name in ("src/a.ts", "node_modules/b.js", "dist/main.js", "package.json"):
        (tmp_path / "ui" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "ui" / name).touch()
    sources = {
        str(path.relative_to(tmp_path / "ui")) for path in (tmp_path / "ui").rglob("*") if script.is_source(path)
    }
    assert sources == {"src/a.ts", "package.json"}


def test_an_old_or_missing_node_is_told_from_a_new_one(script, tmp_path):
    for name, version in {"old": "v18.20.1", "new": "v22.12.0"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\necho {version}\n")
        (tmp_path / name).chmod(0o755)
    assert script.node_version(str(tmp_path / "old")) < script.NODE_OLDEST <= script.node_version(str(tmp_path / "new"))
    assert script.node_version(str(tmp_path / "missing")) < script.NODE_OLDEST


def test_a_missing_python_is_one_sentence(tmp_path):
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python3").chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", str(ROOT / "scripts" / "python.sh"), "x.py"],
        capture_output=True, text=True, check=False, cwd=tmp_path, env={"PATH": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("error: Lupus needs Python 3.11, 3.12 or 3.13")
    assert done.stderr.count("\n") == 1


def test_make_help_lists_every_target():
    said = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = {line.split()[1] for line in said.splitlines()}
    assert listed >= {"help", "setup", "demo", "test", "lint", "types", "ui", "lock", "clean"}
