"""What an import costs: Airflow imports us in every process and parses every few seconds, so nothing heavy comes along."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys

import pytest

HEAVY = (
    "duckdb",
    "pandas",
    "polars",
    "prophet",
    "pyspark",
    "scipy",
    "pyarrow",
    "great_expectations",
    "mlflow",
    "elasticsearch",
    "fastapi",
)
LIBRARY = (
    *("naming", "errors", "clock", "registry", "wire", "periods", "records", "metrics", "detectors", "engines"),
    *("alert", "processors", "stores", "config", "steps"),
)
NO_AIRFLOW = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "airflow":
            raise ModuleNotFoundError(f"{name} is blocked")
sys.meta_path.insert(0, Blocked())
"""


def fresh(code, *args):
    """Run code in a new interpreter; return the last line that it prints as JSON."""
    env = {**os.environ, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([sys.executable, "-c", code, *args], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def loaded_by(statement, words=HEAVY):
    return fresh(f"import sys, json\n{statement}\nprint(json.dumps([n for n in {list(words)!r} if n in sys.modules]))")


FACTORY = "\n".join(f"import lupus_provider.dag_factory.{name}" for name in ("factory", "loading", "stub"))


@pytest.mark.parametrize("statement", ["import lupus_provider.dag_factory", FACTORY], ids=["room", "files"])
def test_the_factory_imports_nothing_heavy_beside_what_airflow_does(statement):
    already = loaded_by("import airflow.sdk, airflow.dag_processing.bundles.base", (*HEAVY, "sqlalchemy"))
    assert set(loaded_by(statement, (*HEAVY, "sqlalchemy"))) <= set(already)
    assert not {"duckdb", "pandas", "prophet", "pyspark", "scipy", "pyarrow"} & set(already)


@pytest.mark.parametrize("module", ["lupus_provider", "lupus_provider.plugin", "lupus_provider.get_provider_info", "lupus_provider.operators",
                                    "lupus_provider.hooks.stores", "lupus_provider.metrics", "lupus_provider.config"])  # fmt: skip
def test_what_airflow_imports_everywhere_is_light(module):
    brought = fresh(f"import sys, json, airflow.sdk\nbefore = set(sys.modules)\nimport {module}\n"
                    f"print(json.dumps([n for n in {list(HEAVY)!r} if n in sys.modules and n not in before]))")  # fmt: skip
    assert brought == []


def test_the_provider_info_imports_nothing_at_all_of_ours():
    code = "import sys, json\nfrom lupus_provider.get_provider_info import get_provider_info\nget_provider_info()\n"
    ours = fresh(
        code + "print(json.dumps(sorted(n for n in sys.modules if n.split('.')[0] in ('lupus_provider', 'airflow'))))"
    )
    assert ours == ["lupus_provider", "lupus_provider.get_provider_info"]


@pytest.mark.parametrize(("command", "has_app"), [("api-server", True), ("scheduler", False), ("tasks", False)])
def test_only_the_api_server_builds_the_server(command, has_app):
    code = f"import sys, json\nsys.argv = ['airflow', {command!r}]\nfrom lupus_provider.plugin import LupusPlugin\n"
    found = fresh(
        code + "print(json.dumps([len(LupusPlugin.fastapi_apps), 'lupus_provider.server.app' in sys.modules]))"
    )
    assert found == [int(has_app), has_app]


def test_a_duckdb_collection_loads_no_other_engine(tmp_path):
    code = """
import sys, json
import pyarrow as pa
from lupus_provider.processors import DistributionProcessor
table = pa.table({"region": ["JP", "US"], "age": [20.0, 30.0]})
metrics = DistributionProcessor(table, group_columns=["region"], column_metrics={"age": ["avg", "p50"]}).get_metrics()
assert "duckdb" in sys.modules
print(json.dumps([n for n in ("pyspark", "polars", "prophet", "mlflow", "airflow") if n in sys.modules]))
"""
    assert fresh(NO_AIRFLOW + code) == []


def test_every_module_below_hooks_imports_where_airflow_is_not():
    code = f"""
import importlib, json, pkgutil
import lupus_provider
failed = {{}}
for name in {LIBRARY!r}:
    module = importlib.import_module(f"lupus_provider.{{name}}")
    inside = pkgutil.walk_packages(getattr(module, "__path__", []), f"lupus_provider.{{name}}.")
    for found in inside:
        if ".migrations.env" in found.name:
            continue  # run by Alembic, not imported
        try:
            importlib.import_module(found.name)
        except Exception as err:
            failed[found.name] = repr(err)
print(json.dumps(failed))
"""
    assert fresh(NO_AIRFLOW + code) == {}


def test_the_list_of_library_rooms_is_that_of_the_contract(root):
    import configparser

    config = configparser.ConfigParser()
    config.read(root / "setup.cfg")
    modules = config["importlinter:contract:no-airflow-below"]["source_modules"].split()
    assert {m.removeprefix("lupus_provider.") for m in modules} - {"testing", "deadline", "client"} == set(LIBRARY)


def module_level_imports(tree):
    """Names that running the file imports: not those inside functions or TYPE_CHECKING."""
    todo = list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, (ast.If, ast.Try, ast.ClassDef, ast.With)):
            is_for_types = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
            todo += [] if is_for_types else [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.stmt)]


def test_heavy_libraries_are_imported_inside_functions_only(root):
    banned = {
        "duckdb",
        "pandas",
        "polars",
        "prophet",
        "pyspark",
        "scipy",
        "great_expectations",
        "mlflow",
        "elasticsearch",
        "boto3",
        "pyhive",
    }
    leaves = ("engines/", "stores/history/")  # opened only by name
    found = []
    for path in (root / "lupus_provider").rglob("*.py"):
        name = path.relative_to(root / "lupus_provider").as_posix()
        if name.startswith(("ui/", *leaves)):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found += [f"{name}: {module}" for module in module_level_imports(tree) if module.split(".")[0] in banned]
    assert found == []
