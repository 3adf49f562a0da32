"""Questions about reading: a year for detection, pages of the catalogue, and a wall of charts, at the pace of people."""

from __future__ import annotations

import random
import tempfile
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.dataset as ds
from make_points import DAY, FIRST, METRICS, OS, SEED, Series, metric_sets

from harness.cost import costs_in_turn, cpu_of
from harness.pace import ask_at_pace
from harness.store_loads import access_to
from lupus_provider.periods import Span
from lupus_provider.records import ANOMALIES, EVALUATIONS, POINTS
from lupus_provider.stores import open_history, open_index
from lupus_provider.stores.history.base import HistoryQuery
from lupus_provider.stores.index.base import CatalogQuery, MetricSetInfo

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.store_servers import Servers
    from lupus_provider.stores.index.base import IndexStore

Rows = list[dict[str, Any]]
ALL = frozenset({"bench", "charts"})
COLUMNS = ("series_id", "period_start", "value", "n_rows")
SEVERAL = 24
"""Charts of a wall."""
BANDS = 400
"""Series of which charts are asked."""


def year_read(servers: Servers, series: int, days: int, repeat: int) -> Rows:
    """Read a year of series as detection does, from a folder and from S3, against a bare Arrow scan of the folder's files."""
    made = Series(MetricSetInfo("bench", "year", "day", "UTC"), series, days)
    s3 = servers.s3
    with tempfile.TemporaryDirectory() as folder:
        places = {
            "a folder": (Path(folder).as_uri(), None),
            "S3": (f"s3://{s3.make_bucket('bench-year')}", access_to(s3)),
        }
        calls: list[Callable[[], object]] = []
        for url, access in places.values():
            history = open_history(url, access)
            for first in range(0, days, 30):  # the way of a backfill, and no more of it in memory at once
                part = range(first, min(first + 30, days))
                history.load(POINTS, "bench", "year", lambda part=part: made.incoming(POINTS, part))
            query = HistoryQuery(POINTS, "bench", "year", columns=COLUMNS)
            calls.append(lambda history=history, query=query: sum(batch.num_rows for batch in history.scan(query)))
        files = [str(file) for file in Path(folder).rglob("part.parquet")]
        order = [("series_id", "ascending"), ("period_start", "ascending")]
        calls.append(lambda: ds.dataset(files).to_table(columns=list(COLUMNS)).sort_by(order))
        costs = costs_in_turn(calls, [s3], repeat)
    names = [*(f"history.scan of {place}" for place in places), "pyarrow: scan and sort of the folder's files"]
    return [cost.row(name, points=series * days) for name, cost in zip(names, costs)]


def filled(index: IndexStore, series: int) -> None:
    """Load what pages are asked of: many series of two days with a year of anomalies, some series with a year of everything."""
    for made in metric_sets(series, 365):
        for kind, days in ((POINTS, range(363, 365)), (EVALUATIONS, range(363, 365)), (ANOMALIES, range(365))):
            index.load(kind, made.about, lambda made=made, kind=kind, days=days: made.incoming(kind, days))
    year = charted()
    for kind in (POINTS, EVALUATIONS, ANOMALIES):
        index.load(kind, year.about, lambda kind=kind: year.incoming(kind))


def charted() -> Series:
    """Return the series that have a year."""
    return Series(MetricSetInfo("charts", "year", "day", "UTC"), BANDS, 365)


def a_search(rng: random.Random) -> CatalogQuery:
    """Return what somebody may ask of Discover: nearly no two are alike."""
    filters: dict[str, frozenset[str]] = {}
    if rng.random() < 0.4:
        filters["group.region"] = frozenset(rng.sample([f"R{i:03d}" for i in range(10)], 2))
    if rng.random() < 0.4:
        filters["metric"] = frozenset(rng.sample(METRICS, 2))
    if rng.random() < 0.3:
        filters["metric_set"] = frozenset({f"set_{rng.randrange(5)}"})
    if rng.random() < 0.3:
        filters["group.os"] = frozenset({rng.choice(OS)})
    start = rng.randrange(300)
    span = Span(FIRST + start * DAY, FIRST + (start + rng.choice((7, 30, 65))) * DAY) if rng.random() < 0.6 else None
    sort = rng.choice(("attention", "attention", "attention", "name", "recent", "change"))
    words, cursor = (
        rng.choice(("", "", "age", "price ios", "rating_0", "R00 p50")),
        rng.choice((None, None, None, "24", "48")),
    )
    return CatalogQuery(ALL, q=words, filters=filters, span=span, sort=sort, cursor=cursor)


def wall(index: IndexStore, ids: list[str]) -> None:
    """Ask for all that a wall of charts needs, as the page's server does."""
    start, end = int(FIRST.timestamp()), int((FIRST + 365 * DAY).timestamp())
    index.series(ids, ALL)
    index.points(ids, start, end)
    index.bands(ids, start, end)
    index.anomalies(ALL, series_ids=ids, start=start, end=end, sort="recent", limit=5_000)


def pages(servers: Servers, series: int, per_second: float, n: int, stores: list[str]) -> dict[str, Rows]:
    """Ask each store for Discover's opening page, for pages of all kinds, for points of 24 charts and for all of 24 charts."""
    found: dict[str, Rows] = {"discover-opening": [], "discover": [], "charts-points": [], "charts": []}
    start, end = int(FIRST.timestamp()), int((FIRST + 365 * DAY).timestamp())
    for store in stores:
        url, behind = servers.index(store)
        index: Any = open_index(url)
        filled(index, series)
        rng, ids = random.Random(SEED), charted().ids
        asked: dict[str, list[Callable[[], object]]] = {
            "discover-opening": [partial(index.search, CatalogQuery(ALL))] * n,
            "discover": [partial(index.search, a_search(rng)) for _ in range(n)],
            "charts-points": [partial(index.points, rng.sample(ids, SEVERAL), start, end) for _ in range(n)],
            "charts": [partial(wall, index, rng.sample(ids, SEVERAL)) for _ in range(n)],
        }
        for name, questions in asked.items():
            questions[0]()
            (cost,) = costs_in_turn([lambda questions=questions: [ask() for ask in questions[:20]]], behind, 1)
            before = cpu_of(behind)
            latency = ask_at_pace(questions, per_second)
            used = (cpu_of(behind) - before) / (n + 20)
            more = {"cpu_ms": cost.cpu_seconds / 20 * 1_000, "server_cpu_ms": used * 1_000, "per_second": per_second}
            found[name].append({"name": store, **asdict(latency), **more})
    return found
