"""How long does parsing take? CPU of building the DAGs of many projects, and of a task start, which builds one DAG only.

Airflow parses DAG files again and again and once more at every task start, so this is a cost that everybody pays all day.
Run: python benchmarks/how_long_does_parsing_take.py [--projects 100] [--metric-sets 5] [--json FILE]
"""

from __future__ import annotations

import argparse
import atexit
import json
import os
import platform
import shutil
import statistics
import tempfile
import time
from pathlib import Path

HOME = tempfile.mkdtemp(prefix="lupus-parsing-")
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
os.environ.update(AIRFLOW_HOME=HOME, AIRFLOW__CORE__LOAD_EXAMPLES="False", AIRFLOW__CORE__UNIT_TEST_MODE="True")

BUDGET = {"build_cpu_s": 3.0, "task_start_ms": 20.0}
METRIC_SET = """\
  set_{number}:
    schedule: "0 6 * * *"
    source: {{table: features.user_daily_{number}, time_column: dt}}
    group_sets: [[], [region], [region, device]]
    column_metrics:
      age: [avg, p25, p50, p75]
      device: [count, unique]
      interests: [count, unique, unique@5]
    detect:
      - {{detector: threshold, metrics: [row_count], min: 1, severity: critical}}
      - {{detector: seasonal, metrics: [avg, "p*"], columns: [age]}}
      - {{detector: missing, metrics: [row_count]}}
"""


def write_projects(folder: Path, projects: int, metric_sets: int) -> list[Path]:
    sets = "".join(METRIC_SET.format(number=number) for number in range(metric_sets))
    files = [folder / f"project_{number:03}.yaml" for number in range(projects)]
    for file in files:
        file.write_text(f"project: {file.stem}\nowner: team\ntimezone: Asia/Tokyo\nmetric_sets:\n{sets}")
    return files


def cpu(work) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--projects", type=int, default=100)
    parser.add_argument("--metric-sets", type=int, default=5)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    airflow_import = cpu(lambda: __import__("airflow.sdk", fromlist=["DAG"]).BaseOperator)
    ours_import = cpu(lambda: __import__("lupus_provider.dag_factory", fromlist=["load_dags"]).load_dags)

    from airflow.serialization.serialized_objects import DagSerialization

    from lupus_provider.dag_factory import load_dags, load_project_dags
    from lupus_provider.dag_factory.stub import sync_stubs

    folder = Path(tempfile.mkdtemp(dir=HOME))
    files = write_projects(folder, args.projects, args.metric_sets)
    dags: dict = {}
    stubs = Path(tempfile.mkdtemp(dir=HOME))
    times = {"airflow_import_cpu_s": airflow_import, "our_import_cpu_s": ours_import}
    times["write_stubs_cpu_s"] = cpu(lambda: sync_stubs(folder, stubs))
    times["refresh_unchanged_cpu_s"] = cpu(lambda: sync_stubs(folder, stubs))
    times["build_cpu_s"] = cpu(lambda: [load_project_dags(dags, file) for file in files])
    times["serialise_cpu_s"] = cpu(lambda: [DagSerialization.to_dict(dag) for dag in dags.values()])
    os.environ["_AIRFLOW_PARSING_CONTEXT_DAG_ID"] = f"lupus.{files[-1].stem}.set_0"
    times["task_start_ms"] = 1e3 * statistics.median(cpu(lambda: load_project_dags({}, files[-1])) for _ in range(21))
    times["task_start_one_file_ms"] = 1e3 * statistics.median(cpu(lambda: load_dags({}, folder)) for _ in range(21))
    report = {
        "question": "how long does parsing take",
        "machine": {"python": platform.python_version(), "cpu_count": os.cpu_count(), "platform": platform.platform()},
        "projects": args.projects,
        "metric_sets": args.metric_sets,
        "dags": len(dags),
        "times": {name: round(value, 4) for name, value in times.items()},
        "share_of_budget": {name: round(times[name] / limit, 3) for name, limit in BUDGET.items()},
        "budget": BUDGET,
    }
    for name, value in report["times"].items():
        print(f"{name:26} {value:10.4f}" + (f"   budget {BUDGET[name]}" if name in BUDGET else ""))
    if args.json:
        args.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
