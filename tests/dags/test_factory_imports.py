"""What a DAG file may cost: nothing heavy is imported by building DAGs, compared with Airflow alone in a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = (
    "duckdb",
    "pandas",
    "polars",
    "prophet",
    "pyspark",
    "scipy",
    "sqlalchemy",
    "pyarrow",
    "matplotlib",
    "statsmodels",
    "fastapi",
    "alembic",
)
AIRFLOW = "from airflow.sdk import DAG, BaseOperator, CronTriggerTimetable, Param, get_parsing_context"
BUILD = f"""
{AIRFLOW}
from lupus_provider.dag_factory import load_dags
dags = {{}}
load_dags(dags, {str(ROOT / "include" / "projects")!r})
assert dags
"""
BUNDLE = "import lupus_provider.dag_factory.bundle"


def loaded(code: str) -> set[str]:
    tail = f"\nimport json, sys; print('\\n' + json.dumps(sorted(set({HEAVY!r}) & {{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_building_dags_imports_nothing_heavy():
    assert loaded(BUILD) - loaded(AIRFLOW) == set()


def test_the_bundle_imports_nothing_heavy():
    assert loaded(BUNDLE) - loaded("import airflow.dag_processing.bundles.base") == set()


def test_reading_a_project_file_imports_no_airflow_and_nothing_heavy():
    code = (
        f"from lupus_provider.config import load_project; load_project({str(ROOT / 'include/projects/flights.yaml')!r})"
    )
    assert loaded(code) == set()
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; assert 'airflow' not in sys.modules"], check=False
    )
    assert done.returncode == 0
