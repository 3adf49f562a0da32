"""How many alarms does the flights year raise, on the days that are known to be bad and on the others?

Runs the real way of a point (collect, load_history, detect) over 2013 without Airflow, counts runs of consecutive flagged days of a
series as one alarm, and prints CPU seconds of each step. The known days are those with at least 15 % of all flights cancelled, and
8 March; they were known when the project file's rules were chosen, so this is a description, not a test on unseen data.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from datetime import date
from pathlib import Path

import pyarrow.compute as pc

from lupus_provider.cli.flights import prepare_flights
from lupus_provider.clock import utc_now
from lupus_provider.config import load_project
from lupus_provider.periods import days_span
from lupus_provider.records import ANOMALIES, POINTS
from lupus_provider.steps.collect import collect
from lupus_provider.steps.detect import detect
from lupus_provider.steps.load_history import load_history
from lupus_provider.steps.load_index import load_index
from lupus_provider.steps.target import Target
from lupus_provider.stores import open_history, open_index, open_stage
from lupus_provider.stores.history.base import HistoryQuery

ROOT = Path(__file__).parents[1]
KNOWN = [date(2013, m, d) for m, d in ((2, 8), (2, 9), (3, 6), (3, 8), (5, 23), (9, 12), (12, 5), (12, 10), (12, 14))]


def run(home: Path, metric_set: str) -> tuple[dict[str, float], list[dict], int, dict[date, float]]:
    project = load_project(ROOT / "include/projects/flights.yaml")
    target = Target(project, metric_set, days_span(date(2013, 1, 1), date(2013, 12, 31), project.zone))
    stage, history = open_stage((home / "stage").as_uri()), open_history((home / "history").as_uri())
    index = open_index(f"sqlite:///{home / 'index.db'}")
    steps = {
        "collect": lambda: collect(target, stage, home / "data", "benchmark", utc_now()),
        "load_history": lambda: load_history(target, stage, history),
        "load_index": lambda: load_index(target, stage, index),
        "detect": lambda: detect(target, history, stage, utc_now(), "benchmark"),
        "load_history_verdicts": lambda: [
            load_history(target, stage, history, kind) for kind in ("anomalies", "evaluations")
        ],
        "load_index_verdicts": lambda: load_index(target, stage, index, ("anomalies", "evaluations")),
    }
    cpu = {}
    for name, step in steps.items():
        begin = time.process_time()
        step()
        cpu[name] = round(time.process_time() - begin, 2)
    anomalies = history.scan(HistoryQuery(ANOMALIES, "flights", metric_set)).read_all()
    points = history.scan(
        HistoryQuery(
            POINTS,
            "flights",
            metric_set,
            columns=("series_id", "column_name", "metric", "group_key", "period_start", "value"),
        )
    )
    table = points.read_all()
    share = table.filter(
        pc.and_(pc.equal(table["column_name"], "dep_delay"), pc.equal(table["metric"], "null_ratio"))
    ).to_pylist()
    whole = {r["period_start"].astimezone(project.zone).date(): r["value"] for r in share if not r["group_key"]}
    rows = [{**r, "day": r["period_start"].astimezone(project.zone).date()} for r in anomalies.to_pylist()]
    return cpu, rows, len(pc.unique(table["series_id"])), whole


def alarms(rows: list[dict]) -> int:
    """Runs of consecutive flagged days, by series."""
    days = sorted({(r["series_id"], r["day"]) for r in rows})
    return sum(i == 0 or a != days[i - 1][0] or (d - days[i - 1][1]).days > 1 for i, (a, d) in enumerate(days))


def main() -> None:
    result: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        prepare_flights(home / "data")
        for metric_set in ("departures", "weather"):
            cpu, rows, n_series, cancelled = run(home, metric_set)
            usual = [r for r in rows if r["day"] not in KNOWN]
            rates = {"all detectors": alarms(usual) / n_series / 12}
            judged = Counter(r["detector"].split(":")[0] for r in usual)
            for name in judged:
                rates[name] = alarms([r for r in usual if r["detector"].startswith(name)]) / n_series / 12
            print(f"\n{metric_set}: {n_series} series; CPU seconds: " + ", ".join(f"{k} {v}" for k, v in cpu.items()))
            print(
                "alarms per series and month on the other days: " + ", ".join(f"{k} {v:.3f}" for k, v in rates.items())
            )
            result[metric_set] = {
                "series": n_series,
                "cpu_seconds": cpu,
                "alarms_per_series_month": {k: round(v, 4) for k, v in rates.items()},
            }
            if metric_set == "departures":
                result["known_days"] = known(rows, cancelled)
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "results" / f"{Path(__file__).stem}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=2, default=str) + "\n")


def known(rows: list[dict], cancelled: dict[date, float]) -> list[dict]:
    """What is flagged on the known days."""
    found = []
    print("\nday         cancelled  series flagged")
    for day in sorted(KNOWN, key=lambda d: -cancelled[d]):
        flagged = len({r["series_id"] for r in rows if r["day"] == day})
        print(f"{day}  {cancelled[day]:>8.1%}  {flagged:>6}")
        found.append({"day": day, "cancelled": round(cancelled[day], 4), "series_flagged": flagged})
    return found


if __name__ == "__main__":
    main()
