"""What the processors are held to: ratios of CPU seconds within one run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

DUCKDB, SPARK = "Lupus on DuckDB", "Lupus on Spark"


@dataclass(frozen=True, slots=True)
class Goal:
    """One row's CPU seconds against another's."""

    what: str
    question: str
    row: str
    against: str
    sense: str
    bound: float


GOALS = (
    Goal("Spark against the hand-written code with an RDD", "distribution-30", SPARK, "hand-written Spark, cut through an RDD", "≤", 1 / 20),
    Goal("Spark against competent hand-written code", "distribution-30", SPARK, "hand-written Spark, cut by slice", "≤", 1 / 3),
    Goal("Spark against DuckDB", "distribution-30", SPARK, DUCKDB, "≤", 2.5),
    Goal("DuckDB against hand-tuned SQL", "distribution-30", DUCKDB, "hand-tuned DuckDB SQL", "≤", 1.1),
    Goal("Deequ by group against Spark", "scalars", "Deequ, a filter a group", SPARK, "≥", 20),
    Goal("Evidently's GroupBy against DuckDB", "scalars", "Evidently, GroupBy", DUCKDB, "≥", 100),
    Goal("scikit-learn's loop against DuckDB", "classification-30", "scikit-learn in a loop", DUCKDB, "≥", 15),
    Goal("ir_measures against DuckDB", "ranking", "ir_measures", DUCKDB, "≥", 40),
    Goal("365 days in one scan against no periods", "periods", "Lupus on DuckDB, 365 days in one scan", "Lupus on DuckDB, no periods", "≤", 2),
    Goal("10,000 groups against 30, for each point", "distribution-10000", DUCKDB, DUCKDB, "≤", 1),
)  # fmt: skip


KS = "largest difference of ks from SciPy's, of 50 columns"
KS_BOUND = 1.2e-4
"""What 100 bins by the reference's quantiles leave at a million rows."""


def largest_difference(ours: dict[str, Any], theirs: dict[str, Any], metric: str) -> float | None:
    """Return how far apart two rows are in a metric, over the values that both have; None where they share none."""
    shared = [name for name in ours.get("values", {}) if f"|{metric}|" in name and name in theirs.get("values", {})]
    return max((abs(ours["values"][name] - theirs["values"][name]) for name in shared), default=None)


def judged(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the goals that this run can tell, with what was measured."""
    rows = {(q["name"], row["name"]): row for q in questions for row in q["rows"] if row.get("cpu_seconds")}
    found = []
    for goal in GOALS:
        base = "distribution-30" if goal.row == goal.against else goal.question
        row, against = rows.get((goal.question, goal.row)), rows.get((base, goal.against))
        if row is None or against is None:
            continue
        measured = row["cpu_seconds"] / against["cpu_seconds"]
        if row["name"] == against["name"]:
            measured *= against["n_values"] / row["n_values"]
        met = measured <= goal.bound if goal.sense == "≤" else measured >= goal.bound
        found.append({"what": goal.what, "measured": measured, "sense": goal.sense, "bound": goal.bound, "met": met})
    for name in (DUCKDB, SPARK):
        ours, scipy = rows.get(("drift", name)), rows.get(("drift", "SciPy in a loop"))
        apart = largest_difference(ours, scipy, "ks") if ours and scipy else None
        if apart is not None:
            found.append(
                {"what": f"{KS}: {name}", "measured": apart, "sense": "≤", "bound": KS_BOUND, "met": apart <= KS_BOUND}
            )
    return found
