"""What do the processors cost against what people use instead, on the same data, in one run?

Each competitor runs in a process of its own; imports, sessions and a run over 2,000 rows come first and are not counted (`--cold` leaves
the small run out). CPU seconds are those of the whole tree of processes, the JVM and its Python workers included, because wall time on a
busy machine lies. Peers that clash with the project's packages get environments of their own in a cache folder.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness.environments import EnvironmentFailedError, cache_folder, python_of
from harness.goals import judged
from harness.process_tree import run_measured
from harness.questions import PROBE, Question, Row, questions
from harness.tables import markdown, show
from make_events import GROUP_COLUMNS, SEED, make_tables
from rich.console import Console

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / f"{Path(__file__).stem}.json"
WARM_ROWS = 2_000
EXAMPLE = """examples:
  python benchmarks/processors.py --rows 100000 --only distribution-30 ranking
  python benchmarks/processors.py --groups 30,1000,10000 --markdown > tables.md"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the events (default 1,000,000)")
    parser.add_argument("--ten-million", action="store_true", help="the same as --rows 10000000")
    parser.add_argument("--groups", default="30,1000,10000", help=f"numbers of groups, of {sorted(GROUP_COLUMNS)}")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="questions, or words in the names of rows")
    parser.add_argument(
        "--cold", action="store_true", help="no small run first: lazy imports and code generation count"
    )
    parser.add_argument("--timeout", type=float, default=1_800, help="seconds of wall time for a row (default 1,800)")
    parser.add_argument("--json", type=Path, default=RESULTS, help="where results go; questions not measured now stay")
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown at the end")
    parser.add_argument("--list", action="store_true", help="list questions and rows, and measure nothing")
    args = parser.parse_args()
    args.rows = 10_000_000 if args.ten_million else args.rows
    args.groups = [int(text) for text in args.groups.split(",")]
    if unknown := set(args.groups) - set(GROUP_COLUMNS):
        parser.error(f"no group column has {sorted(unknown)} values; there are {sorted(GROUP_COLUMNS)}")
    return args


def chosen(all_questions: list[Question], only: list[str] | None) -> list[tuple[Question, list[Row]]]:
    """Return questions with the rows that the command line asks for."""
    if not only:
        return [(question, list(question.rows)) for question in all_questions]
    found = []
    for question in all_questions:
        whole = question.name in only or question.name.rpartition("-")[0] in only
        rows = [row for row in question.rows if whole or any(word.lower() in row.name.lower() for word in only)]
        found += [(question, rows)] if rows else []
    return found


def measure(
    question: Question, row: Row, tables: dict[str, dict[str, str]], args: argparse.Namespace
) -> dict[str, Any]:
    """Run one competitor and return its figures, or why there are none."""
    known = {"name": row.name, "notes": row.notes}
    try:
        python = python_of(row.environment)
    except EnvironmentFailedError as error:
        return known | {"failed": f"cannot be installed: {error}"}
    with tempfile.TemporaryDirectory() as folder:
        answer, log = Path(folder) / "answer.json", Path(folder) / "log"
        task = {"probe": PROBE, "answer": str(answer), "ivy": str(cache_folder() / "ivy"), "data": tables["data"],
                "warm": None if args.cold else tables["warm"]} | question.options | row.options  # fmt: skip
        variables = os.environ | {
            "PYSPARK_PYTHON": str(python),
            "PYSPARK_DRIVER_PYTHON": str(python),
            "PYTHONUNBUFFERED": "1",
        }
        command = [str(python), str(HERE / "peers" / row.program), json.dumps(task)]
        with log.open("w") as output:
            cost = run_measured(command, variables, output, args.timeout)
        if not answer.exists():
            lines = log.read_text().strip().splitlines()[-3:]
            ended = (
                f"ran longer than {args.timeout:.0f} s"
                if cost.exit_code is None
                else f"exit {cost.exit_code}: {' '.join(lines)}"
            )
            return known | {"failed": ended}
        whole = {"peak_bytes": cost.peak_bytes, "process_cpu_seconds": cost.cpu_seconds}
        return known | whole | json.loads(answer.read_text())


def merged(path: Path, args: argparse.Namespace, measured: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return earlier results of the same kind with what was measured now, in the order of the questions."""
    earlier = json.loads(path.read_text()) if path.exists() else {}
    same = (earlier.get("rows"), earlier.get("cold")) == (args.rows, args.cold)
    figures = {
        (question["name"], row["name"]): row
        for question in [*(earlier["questions"] if same else []), *measured]
        for row in question["rows"]
    }
    known = [
        {
            "name": q.name,
            "title": q.title,
            "rows": [figures[q.name, r.name] for r in q.rows if (q.name, r.name) in figures],
        }
        for q in questions(list(GROUP_COLUMNS))
    ]
    return [question for question in known if question["rows"]]


def write(args: argparse.Namespace, measured: list[dict[str, Any]]) -> dict[str, Any]:
    found = merged(args.json, args, measured)
    packages = (
        "duckdb",
        "polars",
        "pyspark",
        "pyarrow",
        "numpy",
        "scikit-learn",
        "scipy",
        "great-expectations",
        "ir-measures",
    )
    machine = {"cpus": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()}
    results = {
        "machine": machine | {name: version(name) for name in packages}, "seed": SEED, "rows": args.rows, "cold": args.cold,
        "goals": judged(found), "questions": found,
    }  # fmt: skip
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    return results


def main() -> None:
    args = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that competitors end, too
    console = Console(stderr=args.markdown, width=None if sys.stdout.isatty() else 190)
    plan = chosen(questions(args.groups), args.only)
    if args.list:
        for question, rows in plan:
            console.print(f"{question.name:24} {question.title}", *(f"  {row.name}" for row in rows), sep="\n")
        return
    data = cache_folder() / "tables"
    console.print(f"tables of {args.rows:,} rows in {data}")
    tables = {
        "data": make_tables(data / f"{args.rows}-{SEED}", args.rows),
        "warm": make_tables(data / f"{WARM_ROWS}-{SEED}", WARM_ROWS),
    }
    results: dict[str, Any] = {"questions": [], "goals": []}
    for question, rows in plan:
        measured = {"name": question.name, "title": question.title, "rows": []}
        for row in rows:
            console.print(f"  {question.name}: {row.name} …", end=" ")
            figures = measure(question, row, tables, args)
            console.print(
                f"{figures['cpu_seconds']:.2f} CPU s" if "cpu_seconds" in figures else "no figures", highlight=False
            )
            measured["rows"].append(figures)
            results = write(args, [measured])
        show(next(q for q in results["questions"] if q["name"] == question.name), console)
    for goal in results["goals"]:
        verdict = "met" if goal["met"] else "MISSED"
        console.print(
            f"{verdict:7} {goal['what']}: {goal['measured']:.3g} (goal {goal['sense']} {goal['bound']:.3g})",
            highlight=False,
        )
    if args.markdown:
        print(markdown(results))


if __name__ == "__main__":
    main()
