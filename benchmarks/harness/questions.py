"""The questions, and for each the competitors that answer it: one table of rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from make_events import DRIFT_COLUMNS, GROUP_COLUMNS, REGIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PROBE = ["", "R00", "R07", "0", "7", "2025-01-01", "2025-07-01"]
"""Groups whose values are compared by name."""
LARGEST_LOOP = 1_000
"""Groups beyond which loops over groups are left out: they would take hours."""


@dataclass(frozen=True, slots=True)
class Row:
    """One competitor under one question."""

    name: str
    program: str
    """File in `peers/`."""
    options: dict[str, Any] = field(default_factory=dict)
    environment: str | None = None
    """Name of its requirements; None: the project's own environment."""
    notes: str = ""
    """What it cannot do."""


@dataclass(frozen=True, slots=True)
class Question:
    """Rows that are compared with each other."""

    name: str
    title: str
    rows: tuple[Row, ...]
    options: dict[str, Any]


LUPUS = (
    Row("Lupus on DuckDB", "with_lupus.py", {"engine": "duckdb"}),
    Row("Lupus on Spark", "with_lupus.py", {"engine": "spark"}),
)
BY_HAND = Row("hand-written Spark, cut by slice", "with_spark_by_hand.py", {"mode": "slice"})
BY_RDD = Row("hand-written Spark, cut through an RDD", "with_spark_by_hand.py", {"mode": "rdd"})
DUCKDB = Row("hand-tuned DuckDB SQL", "with_duckdb.py")
POLARS = Row("Polars, streaming", "with_polars.py")
EVIDENTLY = Row("Evidently", "with_evidently.py", {"mode": "groups"}, "evidently")


def distribution(groups: int) -> Question:
    largest = Row("Lupus on DuckDB, 100 largest entities", "with_lupus.py", {"engine": "duckdb", "mode": "largest"})
    rows = (*LUPUS, BY_HAND, DUCKDB, POLARS) + ((BY_RDD,) if groups == 30 else ()) + ((largest,) if groups > 30 else ())
    title = f"the whole call by {groups:,} groups"
    return Question(
        f"distribution-{groups}", title, rows, {"question": "distribution", "group_column": GROUP_COLUMNS[groups]}
    )


def scalars() -> Iterator[Question]:
    expectations = Row(
        "Great Expectations on Spark", "with_great_expectations.py", {"mode": "groups"}, None, "filters by group"
    )
    options = {"question": "scalars", "all_groups": REGIONS.tolist()}
    by_group = (
        *LUPUS, BY_HAND, DUCKDB, POLARS, expectations,
        Row("Evidently, GroupBy", "with_evidently.py", {"mode": "groups"}, "evidently", "no lists"),
        Row("whylogs, segments", "with_whylogs.py", {}, "whylogs", "sketches; no lists"),
        Row("Deequ, a filter a group", "with_deequ.py", {"mode": "filters"}, "deequ", "sketched percentiles; no lists"),
        Row("Deequ, one run with where", "with_deequ.py", {"mode": "where"}, "deequ", "no histogram, no distinct count"),
    )  # fmt: skip
    yield Question("scalars", "age and device by 30 groups", by_group, options | {"group_column": "region"})
    whole = (
        *(Row(row.name, row.program, row.options | {"group_column": None}) for row in LUPUS),
        Row("Great Expectations on Spark", "with_great_expectations.py", {"mode": "whole"}),
        Row("Evidently", "with_evidently.py", {"mode": "whole"}, "evidently"),
    )
    yield Question("scalars-whole", "age and device, ungrouped", whole, options | {"group_column": "region"})


def percentiles() -> Iterator[Question]:
    for column, kind in (("age", "discrete"), ("score", "continuous")):
        for groups in (30, 10_000):
            options = {"question": "percentiles", "column": column, "group_column": GROUP_COLUMNS[groups]}
            title = f"three percentiles of a {kind} column by {groups:,} groups"
            yield Question(f"percentiles-{kind}-{groups}", title, (*LUPUS, BY_HAND, DUCKDB, POLARS), options)


def periods() -> Question:
    ways = {"whole": "no periods", "one scan": "365 days in one scan", "queries": "365 queries"}
    rows = [Row(f"{lupus.name}, {way}", lupus.program, lupus.options | {"mode": mode})
            for lupus in LUPUS for mode, way in ways.items() if (lupus.options["engine"], mode) != ("spark", "queries")]  # fmt: skip
    return Question("periods", "a year of days", tuple(rows), {"question": "periods", "group_column": None})


def classification(groups: int) -> Question:
    loops = [Row("scikit-learn in a loop", "with_scikit_learn.py")] if groups <= LARGEST_LOOP else []
    evidently = [
        Row(
            "Evidently, GroupBy",
            "with_evidently.py",
            {"mode": "groups"},
            "evidently",
            "tells the ungrouped value for every group",
        )
    ]
    labels = Row("Lupus on DuckDB, labels only", "with_lupus.py", {"engine": "duckdb", "mode": "labels"})
    rows = (*LUPUS, labels, *loops, *(evidently if groups == 30 else ()))
    title = f"classification, 5 labels and a score, by {groups:,} groups"
    return Question(
        f"classification-{groups}", title, rows, {"question": "classification", "group_column": GROUP_COLUMNS[groups]}
    )


def ranking() -> Question:
    rows = (
        *LUPUS,
        Row("ranx", "with_ranking_libraries.py", {"mode": "ranx"}, "ranx"),
        Row("ir_measures", "with_ranking_libraries.py", {"mode": "ir_measures"}),
        Row(
            "Evidently, 20,000 rows",
            "with_evidently.py",
            {"mode": "whole"},
            "evidently",
            "ungrouped; drops truths not recommended",
        ),
    )
    return Question(
        "ranking", "four ranking metrics by 30 groups", rows, {"question": "ranking", "group_column": "region"}
    )


def drift() -> Question:
    stored = [
        Row(f"{lupus.name}, stored reference", lupus.program, lupus.options | {"mode": "stored reference"})
        for lupus in LUPUS
    ]
    rows = (*LUPUS, *stored, Row("SciPy in a loop", "with_scipy.py"), EVIDENTLY)
    return Question("drift", "four distances of 50 columns", rows, {"question": "drift", "columns": DRIFT_COLUMNS})


def questions(groups: Sequence[int]) -> list[Question]:
    """Return all questions, the grouped ones once a number of groups."""
    found = [distribution(n) for n in groups]
    found += [*scalars(), *percentiles(), periods()]
    found += [classification(n) for n in groups if n <= LARGEST_LOOP]
    return [*found, ranking(), drift()]
