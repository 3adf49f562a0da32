from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
import textwrap
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from lupus_provider.get_provider_info import get_provider_info

if TYPE_CHECKING:
    from lupus_provider.operators.base import LupusOperator

MODULES = get_provider_info()["operators"][0]["python-modules"]
NAMES = {"project": "flights", "metric_set": "departures", "project_file": "flights.yaml"}


def operator_of(module: str) -> type[LupusOperator]:
    word = "".join(part.title() for part in module.rpartition(".")[2].split("_"))
    return getattr(importlib.import_module(module), f"{word}Operator")


@pytest.mark.parametrize("module", MODULES)
def test_names_can_be_templates(module):
    assert set(operator_of(module).template_fields) >= {"project", "metric_set", "project_file"}


@pytest.mark.parametrize("module", MODULES)
def test_the_constructor_takes_keywords_only_and_assigns(module):
    cls = operator_of(module)
    for name, parameter in inspect.signature(cls).parameters.items():
        assert parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_KEYWORD), name
    if "__init__" in vars(cls):
        (init,) = ast.parse(textwrap.dedent(inspect.getsource(cls.__init__))).body
        _, *rest = init.body
        assert all(isinstance(statement, ast.Assign) for statement in rest)


@pytest.mark.parametrize("module", MODULES)
def test_execute_is_at_most_fifteen_lines(module):
    assert len(inspect.getsource(operator_of(module).execute).splitlines()) <= 15


def test_importing_operators_imports_nothing_heavy():
    heavy = "{'duckdb', 'pyarrow', 'pandas', 'scipy', 'numpy'}"
    code = f"import airflow.sdk, sys; before = set(sys.modules); import {', '.join(MODULES)}; "
    code += f"print(sorted({heavy} & (set(sys.modules) - before)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


class Result(SimpleNamespace):
    def as_xcom(self):
        return {"rows": self.rows}


@pytest.fixture
def executed(monkeypatch):
    """Run an operator with a step that only remembers how it was called."""

    def run(module: str, **kwargs):
        word = module.rpartition(".")[2]
        calls = []

        def step(*args, **options):
            calls.append((args, options))
            return Result(rows=len(calls))

        monkeypatch.setattr(importlib.import_module(f"lupus_provider.steps.{word}"), word, step)
        operator = operator_of(module)(task_id=word, **NAMES, **kwargs)
        target = SimpleNamespace(project=SimpleNamespace(alerts=SimpleNamespace(channel="log")))
        operator.__dict__["stores"] = SimpleNamespace(stage="S", history="H", index="I", ledger="L")
        monkeypatch.setattr(operator_of(module), "work", contextmanager(lambda self, context: iter([target])))
        return operator.execute({"dag_run": SimpleNamespace(run_id="r1")}), calls, target

    return run


def test_collect_measures_into_the_stage(executed, monkeypatch, tmp_path):
    monkeypatch.setenv("AIRFLOW__LUPUS__DATA_FOLDER", str(tmp_path))
    xcom, [(args, _)], target = executed("lupus_provider.operators.collect")
    assert args[:4] == (target, "S", tmp_path, "r1")
    assert args[4].tzinfo is not None
    assert xcom == {"rows": 1}


def test_load_history_loads_each_kind_from_stage_to_history(executed):
    xcom, calls, target = executed("lupus_provider.operators.load_history", kinds=["anomalies", "evaluations"])
    assert [args for args, _ in calls] == [(target, "S", "H")] * 2
    assert [options["kind"] for _, options in calls] == ["anomalies", "evaluations"]
    assert xcom == {"anomalies_rows": 1, "evaluations_rows": 2}


def test_load_index_loads_from_stage_to_index(executed):
    _, [(args, options)], target = executed("lupus_provider.operators.load_index")
    assert args == (target, "S", "I")
    assert options == {"kinds": ("points",)}


def test_detect_reads_history_and_writes_the_stage(executed):
    _, [(args, _)], target = executed("lupus_provider.operators.detect")
    assert args[:3] == (target, "H", "S")
    assert args[4] == "r1"


def test_alert_reads_history_and_tells_the_projects_channel(executed):
    _, [(args, _)], target = executed("lupus_provider.operators.alert")
    assert args[:3] == (target, "H", "L")
    assert (args[3].kind, args[3].name) == ("log", "log")
