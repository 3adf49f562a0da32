"""The index in Elasticsearch gives the same pages, points, bands and anomalies as the SQL index, whatever was loaded in whatever order."""

from __future__ import annotations

import itertools
import random
from datetime import timedelta

import numpy as np
import pytest

from lupus_provider.naming import series_id
from lupus_provider.periods import Span
from lupus_provider.records import ANOMALIES, EVALUATIONS, POINTS
from lupus_provider.stores import open_index
from lupus_provider.stores.index.base import CatalogQuery, MetricSetInfo
from lupus_provider.stores.index.elastic import ElasticAccess
from lupus_provider.testing.builders import a_point, a_table, an_anomaly, an_evaluation, day, incoming
from lupus_provider.testing.elastic import wipe

SETS = [
    MetricSetInfo("shop", "orders", "day", "UTC"),
    MetricSetInfo("shop", "clicks", "hour", "Asia/Tokyo"),
    MetricSetInfo("bank", "orders", "day", "UTC"),
]
ALL = frozenset({"shop", "bank"})
SPAN = Span(day(20), day(40))
VALUES = (None, 0.0, 1.0, 2.5, -3.0, 1e300, 0.1)


@pytest.fixture
def both(elasticsearch_server, tmp_path):
    elastic = open_index(f"{elasticsearch_server.url}/agree", ElasticAccess(lease=2.0))
    wipe(elastic)
    yield open_index(f"sqlite:///{tmp_path / 'index.db'}"), elastic
    elastic.close()


def identities(rng, about):
    names = itertools.product(("age", "", "a=b", "Größe*"), ("avg", "row_count", "loss"), (None, "x?y", "東京"))
    groups = ({}, {"region": "JP"}, {"region": None}, {"region": "a=b", "os": "ios"}, {"a=b": "JP"})
    every = [(*name, group) for name in names for group in groups]
    return [
        dict(zip(("column_name", "metric", "entity", "group_key"), one), series_id=series_id(about.project, about.metric_set, *one))
        for one in rng.sample(every, 12)
    ]  # fmt: skip


def a_load(rng, about, series):
    """Some periods of some kind, each of some series."""
    kind = rng.choice((POINTS, POINTS, ANOMALIES, EVALUATIONS))
    step = timedelta(hours=6) if about.period == "hour" else timedelta(days=1)
    starts = rng.sample([day(10) + i * step for i in range(60)], rng.randint(1, 6))
    return kind, [(start, a_table(kind, rows(rng, kind, start, series))) for start in starts]


def rows(rng, kind, start, series):
    chosen = rng.sample(series, rng.randint(0, len(series)))
    if kind is POINTS:
        return [point(rng, start, one) for one in chosen]
    found = []
    for one, detector in itertools.product(chosen, rng.sample(("b:1", "a:2"), rng.randint(1, 2))):
        given = {
            "series_id": one["series_id"],
            "detector": detector,
            "score": rng.choice((None, 1.0, 1e-9, 0.01, 1e-3)),
        }
        if kind is ANOMALIES:
            found.append(
                an_anomaly(rng.choice(VALUES), start, **given, severity=rng.choice(("low", "high", "critical")))
            )
        else:
            found.append(
                an_evaluation("normal", start, **given, expected=rng.choice(VALUES), upper=rng.choice((None, 3.0)))
                | {"lower": None}
            )
    return found


def point(rng, start, one):
    error = rng.choice((None, None, None, "division by zero"))
    return a_point(None if error else rng.choice(VALUES), start, **one, error=error, n_rows=rng.choice((None, 0, 7)))


def questions(rng):
    sorts = ("attention", "name", "recent", "change")
    for sort, span, only in itertools.product(sorts, (None, SPAN), (None, "anomalous", "stale")):
        yield CatalogQuery(
            ALL, sort=sort, span=span, only=only, limit=rng.choice((3, 100)), cursor=rng.choice((None, "3", "7"))
        )
    for filters in (
        {"project": {"shop"}}, {"metric": {"avg", "loss"}, "column": {"", "age"}}, {"group.region": {"JP", "(null)"}}, {"group.a=b": {"JP"}},
        {"group_by": {"(whole)", "region"}, "metric_set": {"orders"}}, {"group.region": {"a=b"}, "group.os": {"ios"}}, {"metric": set()},
    ):  # fmt: skip
        wanted = {name: frozenset(values) for name, values in filters.items()}
        yield CatalogQuery(ALL, filters=wanted, limit=100, q=rng.choice(("", "age", "größe*", "x?y", "東京 shop", "=")))
    yield CatalogQuery(frozenset({"bank"}), limit=100)


def asked(index, rng, ids):
    """Everything that an index answers, in one comparable value."""
    pages = [index.search(query).model_dump() for query in questions(rng)]
    points = {sid: (p.t.tolist(), np.nan_to_num(p.value, nan=-7e7).tolist(), p.n_rows.tolist(), dict(p.errors))
              for sid, p in index.points(ids, int(day(15).timestamp()), int(day(60).timestamp())).items() if len(p.t)}  # fmt: skip
    bands = {sid: [(b.detector, b.t.tolist(), *(np.nan_to_num(x, nan=-7e7).tolist() for x in (b.expected, b.lower, b.upper))) for b in bs if len(b.t)]
             for sid, bs in index.bands(ids, None, None).items()}  # fmt: skip
    flagged = [
        index.anomalies(ALL, series_ids=wanted, start=start, sort=sort, cursor=cursor, limit=10).model_dump()
        for sort in ("score", "recent") for wanted in (None, ids[:9]) for start in (None, int(day(30).timestamp())) for cursor in (None, "10")
    ]  # fmt: skip
    series = {sid: one.model_dump() for sid, one in index.series(ids, ALL).items()}
    related = [[one.model_dump() for one in index.related(sid, ALL, 5)] for sid in ids[:6]]
    periods = [
        dict(index.periods(kind, about.project, about.metric_set))
        for kind in (POINTS, ANOMALIES, EVALUATIONS)
        for about in SETS
    ]
    return {
        "pages": pages,
        "points": points,
        "bands": bands,
        "flagged": flagged,
        "series": series,
        "related": related,
        "periods": periods,
    }


@pytest.mark.parametrize("seed", range(3))
def test_both_answer_alike_after_any_loads(both, seed):
    rng = random.Random(seed)
    series = {about: identities(rng, about) for about in SETS}
    ids = [one["series_id"] for every in series.values() for one in every]
    for n in range(16):
        about = rng.choice(SETS)
        kind, periods = a_load(rng, about, series[about])
        brought = [incoming(start, table, kind) for start, table in periods]
        done = [index.load(kind, about, lambda brought=brought: brought) for index in both]
        assert done[0].periods == done[1].periods
        assert done[0].unchanged == done[1].unchanged
        if n % 7 == 6:
            before = day(rng.randint(0, 50))
            assert len({index.expire(about.project, about.metric_set, before) for index in both}) == 1
        if n in (5, 15):
            expected, found = (asked(index, random.Random(seed * 100 + n), ids) for index in both)
            for name, value in expected.items():
                assert found[name] == value, name
