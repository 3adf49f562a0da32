from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import lupus_provider

ROOT = Path(lupus_provider.__file__).parent.parent
ROOMS = ("records", "metrics", "engines", "processors")
FILES = ("naming", "errors", "clock", "registry", "periods")
PROGRAM = """
    import sys

    class Blocked:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] in {blocked}:
                raise ImportError(f"{{name}} is blocked")

    sys.meta_path.insert(0, Blocked())

    from lupus_provider.processors import DistributionProcessor

    assert not set(sys.modules) & {{"duckdb", "pyspark", "airflow"}}
    open("rows.csv", "w").write("region,age\\nJP,20\\nJP,30\\nTW,\\n")
    metrics = DistributionProcessor("rows.csv", group_columns=["region"], column_metrics={{"age": ["avg", "p50", "null_ratio"]}}).get_metrics()
    assert metrics.value("age", "avg", region="JP") == 25.0
    assert metrics.value("age", "null_ratio", region="TW") == 1.0
    loaded = {blocked} & set(sys.modules)
    assert not loaded, loaded
    print(len(metrics))
"""


def run(blocked: set[str], folder: Path) -> str:
    program = textwrap.dedent(PROGRAM.format(blocked=blocked))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_library_works_where_airflow_cannot_be_imported(tmp_path):
    assert run({"airflow"}, tmp_path) == "9"


def test_the_library_works_without_any_frame_library(tmp_path):
    assert run({"airflow", "pyspark", "pandas", "polars"}, tmp_path) == "9"


def modules():
    yield from (f"lupus_provider.{name}" for name in FILES)
    for room in ROOMS:
        package = importlib.import_module(f"lupus_provider.{room}")
        yield package.__name__
        yield from (info.name for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."))


@pytest.mark.parametrize("name", sorted(modules()))
def test_examples_in_docstrings_are_true(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
