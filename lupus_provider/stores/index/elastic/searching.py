"""Questions to the series documents: the catalogue with its facets, counts and overview strip, in Elasticsearch's query language.

The answers are those of the SQL index (`stores.index.searching`). Attention depends on the asked span and is not in any document, so the
flagged series of a question are ranked here, from their packed anomalies, and all others follow in the order of their names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lupus_provider.stores.index.elastic.mappings import BY_NAME, WINDOW
from lupus_provider.stores.index.elastic.summaries import group_term
from lupus_provider.stores.index.loading import folded
from lupus_provider.stores.index.searching import FACET_VALUES, NULL_VALUE, WHOLE, WORD, WORDS
from lupus_provider.wire import Day, Facet, FacetValue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lupus_provider.periods import Span
    from lupus_provider.stores.index.base import CatalogQuery

FIELDS = {"project": "project", "metric_set": "metric_set", "column": "column_name", "metric": "metric"}
DAYS = 60_000
"""Periods of the overview strip, the newest; a server makes at most 65,536 buckets."""
ORDERS: dict[str, list[dict[str, str]]] = {
    "name": [{name: "asc"} for name in BY_NAME],
    "recent": [{"name_order": "asc"}, {"series_id": "asc"}],
    "change": [{"change": "desc"}, {"name_order": "asc"}, {"series_id": "asc"}],
}
ORDERS["attention"] = ORDERS["name"]
_SPECIAL = str.maketrans({"\\": "\\\\", "*": "\\*", "?": "\\?"})
_REGEX_SPECIAL = frozenset('.?+*|{}[]()"\\#@&<>~^$-')

Filter = dict[str, Any]


def visible(projects: Iterable[str]) -> list[Filter]:
    """Return the filters of what a caller may see."""
    return [{"term": {"doc": "series"}}, {"term": {"known": True}}, {"terms": {"project": sorted(projects)}}]


def words(q: str) -> list[Filter]:
    """Return the filters of words that must all be in a series' name, project or metric set; every character is literal."""
    return [
        {"wildcard": {"search_text": {"value": f"*{folded(word[:WORD]).translate(_SPECIAL)}*"}}}
        for word in q.split()[:WORDS]
    ]


def in_span(field: str, span: Span | None) -> Filter:
    """Filter of series with an anomaly in the span."""
    if span is None:
        return {"exists": {"field": field}}
    return {"range": {field: {"gte": int(span.start.timestamp()), "lt": int(span.end.timestamp())}}}


def ranked_field(sort: str) -> str:
    """Return the field that tells who is ranked: an anomaly without any strength stands among the others by attention."""
    return "strong_periods" if sort == "attention" else "anomaly_periods"


def chosen(query: CatalogQuery) -> dict[str, Filter]:
    """Filter name → filter, of those that a facet leaves out when it is its own."""
    found: dict[str, Filter] = {}
    for name, wanted in query.filters.items():
        if not wanted:
            continue
        if name in FIELDS:
            found[name] = {"terms": {FIELDS[name]: sorted(wanted)}}
        elif name == "group_by":
            found[name] = {"terms": {"group_by": sorted("" if value == WHOLE else value for value in wanted)}}
        elif name.startswith("group."):
            column = name.removeprefix("group.")
            terms = [group_term(column, None if value == NULL_VALUE else value) for value in wanted]
            found[name] = {"terms": {"groups": sorted(terms)}}
    return found


def only(query: CatalogQuery) -> list[Filter]:
    """Filter of series that are anomalous or stale, if only they are wanted."""
    if query.only is None:
        return []
    return [in_span("anomaly_periods", query.span) if query.only == "anomalous" else {"term": {"is_stale": True}}]


def bool_of(filters: Iterable[Filter], must_not: Sequence[Filter] = ()) -> Filter:
    """All of the filters and none of the others."""
    return {"bool": {"filter": list(filters), "must_not": list(must_not)}}


# -- numbers of a catalogue page -----------------------------------------------------------------------------------------


def overview(query: CatalogQuery, columns: Sequence[str]) -> dict[str, Any]:
    """Return the aggregations: what matches, counts, facets, the overview strip."""
    own, wanted = chosen(query), only(query)
    every = [*own.values(), *wanted]
    matched = {
        "first": {"min": {"field": "first_period"}}, "last": {"max": {"field": "last_period"}},
        "ranked": {"filter": in_span(ranked_field(query.sort), query.span)},
        "days": {"terms": {"field": "anomaly_periods", "size": DAYS, "order": {"_key": "desc"}}},
    }  # fmt: skip
    aggregations = {"anomalous": bool_of([*own.values(), in_span("anomaly_periods", query.span)])}
    aggregations["stale"] = bool_of([*own.values(), {"term": {"is_stale": True}}])
    found: dict[str, Any] = {name: {"filter": condition} for name, condition in aggregations.items()}
    for name, terms in _facets(columns).items():
        if name in own:
            others = [condition for other, condition in own.items() if other != name]
            found[f"facet|{name}"] = {"filter": bool_of([*others, *wanted]), "aggs": {"values": terms}}
        else:
            matched[f"facet|{name}"] = terms
    return {**found, "matched": {"filter": bool_of(every), "aggs": matched}}


def _facets(columns: Sequence[str]) -> dict[str, dict[str, Any]]:
    fields = {**FIELDS, "group_by": "group_by"}
    found = {name: _terms(field) for name, field in fields.items()}
    return found | {f"group.{column}": _terms("groups", include=_values_of(column)) for column in columns}


def _terms(field: str, **options: Any) -> dict[str, Any]:
    order = [{"_count": "desc"}, {"_key": "asc"}]
    return {"terms": {"field": field, "size": FACET_VALUES, "order": order, **options}}


def _values_of(column: str) -> str:
    escaped = "".join(f"\\{c}" if c in _REGEX_SPECIAL else c for c in group_term(column, None))
    return f"{escaped}(=.*)?"


def facets(answer: Mapping[str, Any], columns: Sequence[str]) -> list[Facet]:
    """Read the facets that have any value."""
    found = []
    for name in _facets(columns):
        own = answer.get(f"facet|{name}")
        buckets = (own["values"] if own else answer["matched"][f"facet|{name}"])["buckets"]
        values = [FacetValue(value=_shown(name, bucket["key"]), count=bucket["doc_count"]) for bucket in buckets]
        if values:
            found.append(Facet(name=name, values=values))
    return found


def _shown(facet: str, key: str) -> str:
    if facet == "group_by":
        return key or WHOLE
    if not facet.startswith("group."):
        return key
    _, equals, value = key.partition("=")
    return value if equals else NULL_VALUE


def days(answer: Mapping[str, Any]) -> list[Day]:
    """Read the overview strip, oldest first."""
    return [
        Day(t=bucket["key"], n_anomalies=bucket["doc_count"])
        for bucket in reversed(answer["matched"]["days"]["buckets"])
    ]


def page_of(offset: int, limit: int) -> dict[str, int]:
    """Place of a page; behind the window there is nothing."""
    size = max(0, min(limit, WINDOW - offset))
    return {"from": offset if size else 0, "size": size}
