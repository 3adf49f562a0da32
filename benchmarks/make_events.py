"""Makes the tables that the benchmarks read: events, recommendations and a pair of numeric tables, all of them seeded.

Made up, because the questions are about cost: the number of groups, of distinct values and the length of lists are chosen.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Callable

SEED = 7
REGIONS = np.array([f"R{i:02d}" for i in range(30)])
DEVICES = np.array(["iOS", "Android", "Mac", "Windows", "Linux", "TV", "Web", "Other"])
INTERESTS = np.array([f"interest_{i:04d}" for i in range(5_000)])
LABELS = np.array(["a", "b", "c", "d", "e"])
ITEMS = np.array([f"item_{i:05d}" for i in range(20_014)])
CATALOGUE = 10_007
"""Items that can be recommended; prime, so that any stride visits each once."""
GROUP_COLUMNS = {10: "g10", 30: "region", 100: "g100", 1_000: "g1000", 10_000: "g10000"}
"""Number of groups → column."""
DRIFT_COLUMNS = [f"c{i}" for i in range(50)]
YEAR_START, YEAR_DAYS = np.datetime64("2025-01-01", "us"), 365


def zipf_codes(rng: np.random.Generator, distinct: int, exponent: float, size: int) -> np.ndarray:
    """Draw codes 0 … distinct - 1, the first the most frequent."""
    weights = 1 / np.arange(1, distinct + 1) ** exponent
    cumulative = np.cumsum(weights / weights.sum())
    cumulative[-1] = 1.0
    return np.searchsorted(cumulative, rng.random(size), side="right").astype(np.int32)


def encoded(codes: np.ndarray, values: np.ndarray, mask: np.ndarray | None = None) -> pa.Array:
    """Make a column of texts out of codes."""
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32), mask=mask), pa.array(values))


def lists(lengths: np.ndarray, items: pa.Array) -> pa.Array:
    """Cut items into lists of the given lengths."""
    return pa.ListArray.from_arrays(pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)), items)


def event_chunk(rng: np.random.Generator, first: int, rows: int, all_rows: int) -> pa.Table:
    """Make rows in order of time: region (30, Zipf), age (1 % null), device (8, 0.5 % null), two list columns, a judged prediction."""
    rating_lengths, interest_lengths = rng.integers(0, 21, rows), rng.integers(0, 21, rows)
    ratings = np.clip(np.round(rng.normal(3.6, 1.1, rating_lengths.sum()) * 2) / 2, 0.5, 5.0)
    interests = zipf_codes(rng, len(INTERESTS), 1.05, interest_lengths.sum())
    label = zipf_codes(rng, len(LABELS), 0.7, rows)
    predicted = np.where(rng.random(rows) < 0.7, label, rng.integers(0, len(LABELS), rows))
    microseconds = (np.arange(first, first + rows) * (YEAR_DAYS * 86_400_000_000 / all_rows)).astype(np.int64)
    columns = {
        "event_time": pa.array(YEAR_START + microseconds, pa.timestamp("us", "UTC")),
        "region": encoded(zipf_codes(rng, 30, 1.1, rows), REGIONS),
        "age": pa.array(np.clip(rng.normal(38, 14, rows), 13, 99).astype(np.int32), mask=rng.random(rows) < 0.01),
        "device": encoded(zipf_codes(rng, 8, 0.9, rows), DEVICES, rng.random(rows) < 0.005),
        "ratings": lists(rating_lengths, pa.array(ratings)),
        "interests": lists(interest_lengths, encoded(interests, INTERESTS)),
        "label": encoded(label, LABELS),
        "predicted": encoded(predicted, LABELS),
        "score": pa.array(np.where(label == 0, rng.beta(4, 2, rows), rng.beta(2, 4, rows))),
    }
    numbered = {name: n for n, name in GROUP_COLUMNS.items() if name != "region"}
    return pa.table(
        columns | {name: pa.array(rng.integers(0, n, rows).astype(np.int32)) for name, n in numbered.items()}
    )


def ranking_chunk(rng: np.random.Generator, rows: int) -> pa.Table:
    """Make rows of 20 predicted and 1 to 10 true items without duplicates, a quarter of the truths among the predicted."""
    start, stride = zipf_codes(rng, CATALOGUE, 0.8, rows), rng.integers(1, CATALOGUE, rows)
    predicted = (start[:, None] + np.arange(20) * stride[:, None]) % CATALOGUE
    found = np.take_along_axis(predicted, np.argsort(rng.random((rows, 20)), axis=1)[:, :10], axis=1)
    missed = CATALOGUE + (rng.integers(0, CATALOGUE, rows)[:, None] + np.arange(10)) % CATALOGUE
    lengths = rng.integers(1, 11, rows)
    truth = np.where(rng.random((rows, 10)) < 0.25, found, missed)[np.arange(10) < lengths[:, None]]
    return pa.table({
        "region": encoded(zipf_codes(rng, 30, 1.1, rows), REGIONS),
        "predicted_items": lists(np.full(rows, 20), encoded(predicted.ravel(), ITEMS)),
        "true_items": lists(lengths, encoded(truth, ITEMS)),
    })  # fmt: skip


def drift_chunk(rng: np.random.Generator, rows: int, shift: float) -> pa.Table:
    """Make 50 numeric columns: normal, log-normal and whole numbers in turn, every fifth moved by `shift` deviations."""
    columns = {}
    for number, name in enumerate(DRIFT_COLUMNS):
        values = rng.normal(shift if number % 5 == 0 else 0.0, 1.0, rows)
        shaped = (values * 10 + 50, np.exp(values), np.floor(values * 20))[number % 3]
        columns[name] = pa.array(shaped)
    return pa.table(columns)


def write_parts(folder: Path, chunks: list[int], make: Callable[[int, int], pa.Table]) -> None:
    """Write one Parquet file a chunk; `make(first row, rows)` gives its table."""
    folder.mkdir(parents=True)
    first = 0
    for number, rows in enumerate(chunks):
        pq.write_table(
            make(first, rows),
            folder / f"part-{number:05d}.parquet",
            compression="zstd",
            store_schema=False,
            row_group_size=125_000,
        )
        first += rows


def make_tables(folder: Path, rows: int, seed: int = SEED) -> dict[str, str]:
    """Make all tables once and return name → glob of Parquet files.

    Parameters
    ----------
    folder
        Where; a folder that was finished is used as it is.
    rows
        Rows of the events and of each of the drift tables; the recommendations are a fifth of it.
    """
    done = folder / ".done"
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)  # a half-made one
        rng = np.random.default_rng(seed)
        parts = max(4, rows // 500_000)
        chunks = [rows // parts] * (parts - 1) + [rows - rows // parts * (parts - 1)]
        fifths = [max(1, n // 5) for n in chunks]
        write_parts(folder / "events", chunks, lambda first, n: event_chunk(rng, first, n, rows))
        write_parts(folder / "ranking", fifths, lambda _, n: ranking_chunk(rng, n))
        write_parts(folder / "reference", chunks, lambda _, n: drift_chunk(rng, n, 0.0))
        write_parts(folder / "current", chunks, lambda _, n: drift_chunk(rng, n, 0.3))
        done.touch()
    return {name: str(folder / name / "*.parquet") for name in ("events", "ranking", "reference", "current")}


def main() -> None:
    """Make the tables that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="example: python benchmarks/make_events.py 1000000 /data"
    )
    parser.add_argument("rows", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=SEED)
    args = parser.parse_args()
    for name, glob in make_tables(args.folder, args.rows, args.seed).items():
        print(f"{name:10} {glob}")


if __name__ == "__main__":
    main()
