"""How much does one scan save: many periods, and several group sets, against one query each?

Makes a year of 336,000 rows (seeded), measures it both ways, prints a table and writes JSON beside this file's results folder.
CPU seconds of the process, because wall time on a busy machine lies. Budget: one scan of 365 periods costs at most a third of 365 scans.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from lupus_provider.periods import days_span, periods_in
from lupus_provider.processors import DistributionProcessor

ROWS, SEED, BUDGET = 336_000, 7, 1 / 3
ZONE = ZoneInfo("America/New_York")
GROUP_SETS = [[], ["origin"], ["carrier"]]
COLUMN_METRICS = {
    "delay": ["avg", "p50", "p95", "null_ratio"],
    "air_time": ["avg", "stddev"],
    "carrier": ["count", "unique"],
    "dest": ["unique"],
}


def make_rows(path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"SELECT setseed({SEED / 100})")
        connection.execute(
            f"COPY (SELECT TIMESTAMPTZ '2013-01-01 05:00+00' + to_microseconds(CAST(i * (365 * 86400e6 / {ROWS}) AS BIGINT)) AS at, "
            "['EWR', 'JFK', 'LGA'][1 + i % 3] AS origin, 'C' || (i * i % 16) AS carrier, 'D' || (i % 100) AS dest, "
            "CASE WHEN random() > 0.03 THEN (random() * 90 - 20) END AS delay, 60 + random() * 300 AS air_time "
            f"FROM range({ROWS}) t(i)) TO '{path}' (CODEC zstd)"
        )


def cpu(*calls: dict) -> tuple[float, int]:
    started, points = time.process_time(), 0
    for options in calls:
        points += len(
            DistributionProcessor(
                column_metrics=COLUMN_METRICS, time_column="at", zone=str(ZONE), **options
            ).get_metrics()
        )
    return time.process_time() - started, points


def compare(path: Path) -> list[dict]:
    days = periods_in(days_span(date(2013, 1, 1), date(2013, 12, 31), ZONE), "day", ZONE)
    every = {"df": path, "periods": days, "group_sets": GROUP_SETS}
    cpu({**every, "periods": days[:1]})  # imports
    ways = {
        "a year of days, one scan": [every],
        "a year of days, a query each": [{**every, "periods": [day]} for day in days],
        "one day": [{**every, "periods": days[200:201]}],
        "three group sets, one scan": [every],
        "three group sets, a query each": [{**every, "group_sets": [group_set]} for group_set in GROUP_SETS],
    }
    return [dict(zip(("way", "cpu_seconds", "points"), (way, *cpu(*calls)))) for way, calls in ways.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / f"{Path(__file__).stem}.json")
    out = parser.parse_args().out
    with tempfile.TemporaryDirectory() as folder:
        make_rows(Path(folder) / "rows.parquet")
        results = compare(Path(folder) / "rows.parquet")
    for row in results:
        print(f"{row['way']:34} {row['cpu_seconds']:8.2f} CPU s {row['points']:8,} points")
    ratio = results[0]["cpu_seconds"] / results[1]["cpu_seconds"]
    print(f"one scan of all days costs {ratio:.1%} of a query a day (budget {BUDGET:.0%}); of all group sets "
          f"{results[3]['cpu_seconds'] / results[4]['cpu_seconds']:.0%} of a query each")  # fmt: skip
    machine = {"cpus": os.cpu_count(), "python": platform.python_version(), "duckdb": duckdb.__version__}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(
        json.dumps(
            {"machine": machine, "seed": SEED, "rows": ROWS, "budget": BUDGET, "ratio": ratio, "results": results},
            indent=1,
        )
    )
    if ratio > BUDGET:
        print("over budget")
        sys.exit(1)


if __name__ == "__main__":
    main()
