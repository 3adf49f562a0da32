"""Pages of the catalogue: asks Elasticsearch (`searching`), ranks what is flagged, and puts the answer together.

A page is two questions: metric sets, numbers and who is ranked first; then the documents of the page. The first needs the group columns
that the metric sets have: those of the last question are taken, and if they were others, it is asked again.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from lupus_provider.stores.index.elastic import names, searching as s
from lupus_provider.stores.index.elastic.mappings import WINDOW
from lupus_provider.stores.index.elastic.summaries import unpack
from lupus_provider.stores.index.searching import attention, offset_of, summary
from lupus_provider.stores.sql import chunks
from lupus_provider.wire import CatalogPage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lupus_provider.periods import Span
    from lupus_provider.stores.index.base import CatalogQuery
    from lupus_provider.stores.index.elastic.door import Door
    from lupus_provider.stores.index.elastic.names import Names
    from lupus_provider.wire import SeriesSummary

Sets = dict[str, dict[str, Any]]
"""Metric set → its document."""
_RANKED_FIELDS = ("series_id", "set", "name_order", "flags")
_WITH_FLAGS = {"excludes": ["months", "search_text", "anomaly_periods", "strong_periods", "groups"]}
RANKED_BY = {
    "attention": [{"attention": "desc"}],
    "recent": [{"last_anomaly": "desc"}, {"attention": "desc"}],
}
"""What bounds a series' place in the list: over all history its anomalies are at least as strong and as new as within a span, and ask for
no less attention when they were loaded than later."""
FEW = 200
MOST_SETS = 10_000
REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class Ranked:
    """A series with anomalies in the span, as much of it as its place in the list needs."""

    series_id: str
    key: str
    name: str
    last: int
    attention: float


class Catalogue:
    """Answers about series."""

    def __init__(self, door: Door, names_: Names) -> None:
        self._door, self._index = door, names_[names.SERIES]
        self._columns: dict[frozenset[str], list[str]] = {}

    def search(self, query: CatalogQuery) -> CatalogPage:
        """One page of the catalogue; see the protocol."""
        base, offset = [*s.visible(query.projects), *s.words(query.q)], offset_of(query.cursor)
        filters = [*base, *s.chosen(query).values(), *s.only(query)]
        columns = self._columns.get(query.projects, [])
        page = (
            _flagged(filters, query.sort, query.span, FEW + 4 * (offset + query.limit))
            if query.sort in RANKED_BY
            else _sorted(filters, query.sort, offset, query.limit)
        )
        while True:
            numbers: dict[str, Any] = {"query": s.bool_of(base), "size": 0, "aggs": s.overview(query, columns)}
            found, answer, hits = self._ask(_sets(query.projects), numbers, page)
            sets = _sets_of(found)
            known = sorted({column for about in sets.values() for column in about["group_columns"]})
            if known == columns:
                break
            columns = known
            if len(self._columns) >= REMEMBERED:
                self._columns.clear()
            self._columns[query.projects] = known
        numbers, matched = answer["aggregations"], answer["aggregations"]["matched"]
        stop, total = offset + query.limit, matched["doc_count"]
        documents = [hit["_source"] for hit in hits["hits"]["hits"] if "_source" in hit]
        if query.sort in RANKED_BY:
            n_ranked = matched["ranked"]["doc_count"]
            top = self._ranked(filters, query.sort, query.span, sets, min(stop, n_ranked), hits)[offset:n_ranked]
            behind = max(0, offset - n_ranked)
            documents = self._ranked_page(filters, query.sort, query.span, top[: query.limit], behind, query.limit)
        first, last = matched["first"]["value"], matched["last"]["value"]
        return CatalogPage(
            items=self._summaries(documents, sets, query.span),
            total=total,
            first_period=None if first is None else int(first),
            last_period=None if last is None else int(last),
            total_all=sum(about["n_series"] for about in sets.values()),
            counts={name: numbers[name]["doc_count"] for name in ("anomalous", "stale")},
            facets=s.facets(numbers, columns),
            days=s.days(numbers),
            next_cursor=str(stop) if stop < total else None,
        )

    def series(self, series_ids: Sequence[str], projects: frozenset[str]) -> dict[str, SeriesSummary]:
        """Return the series that exist in those projects, in the order asked."""
        found: dict[str, SeriesSummary] = {}
        for part in chunks(series_ids):
            query = s.bool_of([*s.visible(projects), {"terms": {"series_id": part}}])
            hits, sets = self._ask({"query": query, "size": len(part), "_source": _WITH_FLAGS}, _sets(projects))
            documents = [hit["_source"] for hit in hits["hits"]["hits"]]
            found.update((item.series_id, item) for item in self._summaries(documents, _sets_of(sets), None))
        return {sid: found[sid] for sid in series_ids if sid in found}

    def related(self, series_id: str, projects: frozenset[str], limit: int) -> list[SeriesSummary]:
        """Return the same column and metric in the other groups and entities, strangest first."""
        mine, found = self._ask(
            {"query": s.bool_of([*s.visible(projects), {"term": {"series_id": series_id}}])}, _sets(projects)
        )
        if not mine["hits"]["hits"]:
            return []
        about = mine["hits"]["hits"][0]["_source"]
        same = [{"term": {name: about[name]}} for name in ("set", "column_name", "metric")]
        filters = [*s.visible(projects), *same, {"bool": {"must_not": [{"term": {"series_id": series_id}}]}}]
        sets = _sets_of(found)
        (flagged,) = self._ask(_flagged(filters, "attention", None, FEW + 4 * limit))
        ranked = self._ranked(filters, "attention", None, sets, limit, flagged)
        documents = self._ranked_page(filters, "attention", None, ranked[:limit], 0, limit)
        return self._summaries(documents, sets, None)

    # -- parts -----------------------------------------------------------------------------------------------------------

    def _ask(self, *searches: dict[str, Any]) -> list[dict[str, Any]]:
        """Put several searches in one request."""
        lines: list[dict[str, Any]] = []
        for body in searches:
            lines += [{}, body]
        return self._door.answers(self._index, lines)

    def _ranked(
        self, filters: Sequence[dict[str, Any]], sort: str, span: Span | None, sets: Sets, wanted: int, answer: Mapping[str, Any]
    ) -> list[Ranked]:  # fmt: skip
        """Return flagged series, of which the first `wanted` are in their order.

        They come by what bounds their rank from above, so that a few hundred are enough until one can no longer be among the first.
        `answer` is that to the first question for them.
        """
        size = FEW + 4 * wanted
        while True:
            hits = answer["hits"]["hits"]
            ranked = _rank(hits, sets, span, sort)
            if len(hits) < size or len(hits) >= WINDOW:
                return ranked
            if len(ranked) >= wanted and (not wanted or _is_above(ranked[wanted - 1], hits[-1]["sort"], sort)):
                return ranked
            size = 8 * len(hits)
            (answer,) = self._ask(_flagged(filters, sort, span, size))

    def _ranked_page(
        self, filters: Sequence[dict[str, Any]], sort: str, span: Span | None, ranked: Sequence[Ranked], behind: int, limit: int
    ) -> list[dict[str, Any]]:  # fmt: skip
        """Documents of a page: the ranked ones, then the others from the place `behind` the last ranked."""
        top = [item.series_id for item in ranked]
        searches = []
        if top:
            query = s.bool_of([{"term": {"doc": "series"}}, {"terms": {"series_id": top}}])
            searches.append({"query": query, "size": len(top), "_source": _WITH_FLAGS})
        if len(top) < limit:
            rest = [*filters, s.bool_of([], [s.in_span(s.ranked_field(sort), span)])]
            searches.append(_sorted(rest, sort, behind, limit - len(top)))
        answers = (
            [[hit["_source"] for hit in answer["hits"]["hits"]] for answer in self._ask(*searches)] if searches else []
        )
        if not top:
            return answers[0] if answers else []
        by_id = {document["series_id"]: document for document in answers[0]}
        return [by_id[sid] for sid in top if sid in by_id] + (answers[1] if len(answers) > 1 else [])

    @staticmethod
    def _summaries(documents: Iterable[Mapping[str, Any]], sets: Sets, span: Span | None) -> list[SeriesSummary]:
        return [summary(_row(doc, sets[doc["set"]], span)) for doc in documents if doc["set"] in sets]


def _sorted(filters: Sequence[dict[str, Any]], sort: str, offset: int, limit: int) -> dict[str, Any]:
    return {
        "query": s.bool_of(filters),
        "sort": s.ORDERS[sort],
        "_source": _WITH_FLAGS,
        "track_total_hits": False,
        **s.page_of(offset, limit),
    }


def _sets(projects: Iterable[str]) -> dict[str, Any]:
    return {"query": s.bool_of([{"term": {"doc": "set"}}, {"terms": {"project": sorted(projects)}}]), "size": MOST_SETS}


def _sets_of(answer: Mapping[str, Any]) -> Sets:
    return {hit["_source"]["set"]: hit["_source"] for hit in answer["hits"]["hits"]}


def _flagged(filters: Sequence[dict[str, Any]], sort: str, span: Span | None, size: int) -> dict[str, Any]:
    return {
        "query": s.bool_of([*filters, s.in_span(s.ranked_field(sort), span)]), "size": min(size, WINDOW), "sort": RANKED_BY[sort], "_source": False,
        "stored_fields": "_none_", "docvalue_fields": list(_RANKED_FIELDS), "track_total_hits": False,
    }  # fmt: skip


def _is_above(item: Ranked, bound: Sequence[Any], sort: str) -> bool:
    """Tell whether nobody from the bound on can come before the series."""
    return item.attention > bound[0] if sort == "attention" else (item.last, item.attention) > (bound[0], bound[1])


def _flags(packed: str | None, span: Span | None) -> SimpleNamespace:
    """Anomalies in the span, in numbers."""
    if not packed:
        return SimpleNamespace(n=None, last=None, worst=None, strength=None)
    flags = unpack(packed)
    if span is not None:
        start, end = int(span.start.timestamp()), int(span.end.timestamp())
        flags = [flag for flag in flags if start <= flag[0] < end]
    if not flags:
        return SimpleNamespace(n=None, last=None, worst=None, strength=None)
    return SimpleNamespace(
        n=len({at for at, _, _ in flags}), last=int(max(at for at, _, _ in flags)), strength=max(strength for _, strength, _ in flags),
        worst=min((score for _, _, score in flags if not math.isnan(score)), default=None),
    )  # fmt: skip


def _rank(hits: Iterable[Mapping[str, Any]], sets: Sets, span: Span | None, sort: str) -> list[Ranked]:
    ranked = []
    for hit in hits:
        sid, key, name, packed = (hit["fields"][field][0] for field in _RANKED_FIELDS)
        if key in sets:
            flags = _flags(packed, span)
            flags.period, flags.newest_period = sets[key]["period"], sets[key]["newest_period"]
            ranked.append(Ranked(sid, key, name, flags.last, attention(flags)))
    if sort == "recent":
        return sorted(ranked, key=lambda item: (-item.last, -item.attention, item.name, item.series_id))
    return sorted(ranked, key=lambda item: (-item.attention, *item.key.split("/"), item.name, item.series_id))


def _row(doc: Mapping[str, Any], about: Mapping[str, Any], span: Span | None) -> SimpleNamespace:
    """Return a series as the row that the SQL index reads, so that both summarise it alike."""
    row = _flags(doc.get("flags"), span)
    row.__dict__.update({name: doc[name] for name in _SAME})
    row.__dict__.update({name: about[name] for name in ("period", "timezone", "newest_period")})
    row.group_key = json.dumps(doc["group_key"]["pairs"])
    return row


_SAME = (
    "series_id", "project", "metric_set", "column_name", "metric", "entity", "name", "first_period", "last_period", "last_value",
    "last_expected", "n_points",
)  # fmt: skip
