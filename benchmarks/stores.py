"""What do the stores cost against the bare acts that they are made of, and how long does the page wait for them?

Real servers, started for the run by `lupus_provider.testing.servers`. Loads are measured in turn with what they are compared with, in CPU
seconds of this process and the servers, because wall time on a busy machine lies; pages are asked at a fixed pace, and their wall times are
upper bounds for the same reason, so their CPU time stands beside.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.store_loads import another_day, elastic_load, history_load, staging
from harness.store_reads import pages, year_read
from harness.store_servers import Servers
from make_points import SEED
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / f"{Path(__file__).stem}.json"
STORES = ("sqlite", "postgres", "elasticsearch")
QUESTIONS = {
    "index-load": "a year into Elasticsearch, against a bare parallel_bulk of the same documents",
    "another-day": "one more day of many series into the index",
    "history-load": "days into Hive, against a bare INSERT OVERWRITE from the same file",
    "staging": "days onto S3, against a bare upload",
    "year-read": "a year for detection",
    "pages": "Discover and 24 charts of 365 points",
}
TITLES = {
    "discover-opening": "Discover's opening page", "discover": "pages of Discover, nearly no two alike",
    "charts-points": "points of 24 charts", "charts": "24 charts: series, points, bands and anomalies",
}  # fmt: skip
GOALS = (
    ("index-load", "index.load", "helpers.parallel_bulk", 0.8),
    ("history-load", "history.load, managed", "INSERT OVERWRITE", 0.8),
    ("history-load", "history.load, external", "INSERT OVERWRITE", 0.8),
)
"""Question, ours, bare, and the least share of the bare throughput."""
LIMITS = {"discover": 120.0, "discover-opening": 120.0, "charts": 80.0, "charts-points": 80.0}
"""Milliseconds of p95."""
HIDDEN = ("name", "calls", "questions", "per_second")
EXAMPLE = """examples:
  python benchmarks/stores.py --only pages --stores sqlite --series 5000
  python benchmarks/stores.py --only index-load history-load --repeat 5"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", nargs="+", choices=QUESTIONS, default=list(QUESTIONS), help="questions (default: all)"
    )
    parser.add_argument("--stores", nargs="+", choices=STORES, default=list(STORES), help="of the index (default: all)")
    parser.add_argument("--series", type=int, default=50_000, help="series of Discover and of one more day (50,000)")
    parser.add_argument("--year-series", type=int, default=10_000, help="series of a year for detection (10,000)")
    parser.add_argument("--load-series", type=int, default=2_000, help="series of a year into the index (2,000)")
    parser.add_argument("--days", type=int, default=365, help="days of a year (365)")
    parser.add_argument(
        "--staged-days", type=int, default=30, help="days of 5,000 series that are staged and told to Hive (30)"
    )
    parser.add_argument("--pace", type=float, default=10.0, help="pages a second (10)")
    parser.add_argument("--pages", type=int, default=200, help="pages of a kind (200)")
    parser.add_argument("--repeat", type=int, default=3, help="calls of which the median is told (3)")
    parser.add_argument("--json", type=Path, default=RESULTS, help="where results go; questions not measured now stay")
    return parser.parse_args()


def measured(name: str, servers: Servers, args: argparse.Namespace) -> dict[str, list[dict[str, Any]]]:
    """Answer a question; returns tables by name."""
    indexes = [store for store in args.stores if store != "postgres"]
    asked: dict[str, Callable[[], Any]] = {
        "index-load": lambda: elastic_load(servers, args.load_series, args.days, args.repeat),
        "another-day": lambda: another_day(servers, args.series, args.repeat, indexes),
        "history-load": lambda: history_load(servers, 5_000, args.staged_days, args.repeat),
        "staging": lambda: staging(servers, 5_000, args.staged_days, args.repeat),
        "year-read": lambda: year_read(servers, args.year_series, args.days, args.repeat),
        "pages": lambda: pages(servers, args.series, args.pace, args.pages, args.stores),
    }
    rows = asked[name]()
    return rows if isinstance(rows, dict) else {name: rows}


def goals(tables: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the goals that these tables can tell, with what was measured: throughput by CPU time, and p95."""
    found = []
    for question, ours, bare, least in GOALS:
        rows = {row["name"]: row for row in tables.get(question, {}).get("rows", [])}
        if ours in rows and bare in rows:
            share = rows[bare]["cpu_seconds"] / rows[ours]["cpu_seconds"]
            found.append(
                {"what": f"{ours} against {bare}", "measured": share, "goal": f"≥ {least}", "met": share >= least}
            )
    for question, limit in LIMITS.items():
        for row in tables.get(question, {}).get("rows", []):
            what = f"{TITLES[question]} on {row['name']}, p95 ms at {row['per_second']:g} a second"
            found.append({"what": what, "measured": row["p95"], "goal": f"≤ {limit:g}", "met": row["p95"] <= limit})
    return found


def write(args: argparse.Namespace, new: dict[str, Any]) -> dict[str, Any]:
    """Put new tables beside those of earlier runs."""
    earlier = json.loads(args.json.read_text())["tables"] if args.json.exists() else {}
    packages = ("elasticsearch", "pyarrow", "sqlalchemy", "boto3", "pyhive")
    machine = {"cpus": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()}
    tables = earlier | new
    results = {
        "machine": machine | {name: version(name) for name in packages},
        "seed": SEED,
        "goals": goals(tables),
        "tables": tables,
    }
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    return results


def show(title: str, rows: list[dict[str, Any]], console: Console) -> None:
    """Print one table."""
    columns = [name for name in rows[0] if name not in HIDDEN]
    table = Table(
        "",
        *(name.replace("_", " ") for name in columns),
        title=title,
        title_justify="left",
        title_style="bold",
        box=None,
    )
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        cells = [f"{row[name]:,}" if isinstance(row[name], int) else f"{row[name]:,.2f}" for name in columns]
        table.add_row(row["name"], *cells)
    console.print(table)


def main() -> None:
    args = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers end, too
    console = Console(width=None if sys.stdout.isatty() else 170)
    results: dict[str, Any] = {"goals": []}
    with Servers() as servers:
        for name in args.only:
            console.print(f"{name}: {QUESTIONS[name]} …")
            tables = measured(name, servers, args)
            sizes = {key: value for key, value in vars(args).items() if isinstance(value, (int, float))}
            results = write(
                args,
                {
                    key: {"sizes": sizes, "load_average": os.getloadavg()[0], "rows": rows}
                    for key, rows in tables.items()
                },
            )
            for key, rows in tables.items():
                show(TITLES.get(key, QUESTIONS.get(key, key)), rows, console)
    for goal in results["goals"]:
        verdict = "met" if goal["met"] else "MISSED"
        console.print(f"{verdict:7} {goal['what']}: {goal['measured']:.3g} (goal {goal['goal']})", highlight=False)


if __name__ == "__main__":
    main()
