"""The index in Elasticsearch 9: the same answers as the SQL index, for many series, many readers and several machines.

Points and bands lie in a document a series and month, as arrays; series, with what the catalogue looks for, and anomalies have documents of
their own. Readers see a period whole or not at all, without transactions, because every slot says which load wrote it and one small
document a metric set and month says which loads are valid (`loading` has the four steps, `reading` and `listing` the readers' side).

Laws beside those of the protocol: series summaries, facets and the overview strip follow a switch before `load` returns; in between a reader
may see the summary of the moment before, each document whole. No scripts, pipelines or licensed features are needed.
"""

from __future__ import annotations

import gc
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from lupus_provider.errors import StoreBusyError
from lupus_provider.stores.index.base import MetricSetInfo
from lupus_provider.stores.index.elastic import indices
from lupus_provider.stores.index.elastic.bulk import Fenced
from lupus_provider.stores.index.elastic.catalogue import Catalogue
from lupus_provider.stores.index.elastic.door import Door
from lupus_provider.stores.index.elastic.lease import held
from lupus_provider.stores.index.elastic.listing import Listing
from lupus_provider.stores.index.elastic.loading import ROOM_OF, Load
from lupus_provider.stores.index.elastic.names import SERIES, Names, set_id, set_key
from lupus_provider.stores.index.elastic.reading import Reader
from lupus_provider.stores.index.elastic.slots import State
from lupus_provider.stores.index.elastic.states import scan
from lupus_provider.stores.index.loading import epoch
from lupus_provider.stores.index.searching import offset_of, point_fields
from lupus_provider.wire import AnomalyPage, AnomalyRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lupus_provider.records import RecordKind
    from lupus_provider.stores.history.base import Incoming, Switched
    from lupus_provider.stores.index.base import Band, CatalogQuery, StoredPoints
    from lupus_provider.stores.index.elastic.access import ElasticAccess
    from lupus_provider.wire import CatalogPage, SeriesSummary

T = TypeVar("T")
TRIES = 20
"""Loads that are begun anew because another loader took over."""


class ElasticIndex:
    """Index in Elasticsearch; see `stores.index.base.IndexStore` for the laws.

    Parameters
    ----------
    url
        `https://host:9200/prefix`; `prefix` is what the names of all indices start with.
    access
        Credentials, certificates, patience.
    shards
        Shards of the indices of points and bands, where these are made.
    """

    def __init__(self, url: str, access: ElasticAccess | None = None, *, shards: int = 1) -> None:
        self.door, self._shards = Door(url, access), shards
        self.url = str(self.door.place)
        self._use(Names(self.door.place.prefix))
        indices.ensure(self.door, self._names, shards)

    def _use(self, names_: Names) -> None:
        self._names = names_
        self._catalogue, self._listing = Catalogue(self.door, names_), Listing(self.door, names_)
        self._reader = Reader(self.door, names_)

    def load(
        self, kind: RecordKind, about: MetricSetInfo, gather: Callable[[], Sequence[Incoming]], *, force: bool = False
    ) -> Switched:
        """Make the periods that `gather` returns what the index says of them; see the protocol.

        Raises
        ------
        DocumentsRefusedError
            If the server refused single documents for good; all others are loaded.
        ElasticUnavailableError
            If the server stayed away; what is visible is whole, and the next load goes on.
        """
        return self._alone(about, lambda load: load.run(kind, gather(), force=force))

    def _alone(self, about: MetricSetInfo, act: Callable[[Load], T]) -> T:
        """Act on a metric set while nobody else does."""
        began = time.monotonic()
        for _ in range(TRIES):
            key = set_key(about.project, about.metric_set)
            with held(self.door, self._names, key) as generation, _collector_paused():
                try:
                    return act(Load(self.door, self._names, about, generation))
                except Fenced:
                    continue
        what = f"{self.url} metric set {about.project}/{about.metric_set}"
        raise StoreBusyError(what, time.monotonic() - began)

    def search(self, query: CatalogQuery) -> CatalogPage:
        """One page of the catalogue; see the protocol."""
        return self._catalogue.search(query)

    def series(self, series_ids: Sequence[str], projects: frozenset[str]) -> Mapping[str, SeriesSummary]:
        """Return the series that exist in those projects."""
        return self._catalogue.series(series_ids, projects)

    def related(self, series_id: str, projects: frozenset[str], limit: int) -> Sequence[SeriesSummary]:
        """Return the same column and metric in the other groups and entities, strangest first."""
        return self._catalogue.related(series_id, projects, limit)

    def points(self, series_ids: Sequence[str], start: int | None, end: int | None) -> Mapping[str, StoredPoints]:
        """Return points of series that the caller was let see."""
        return self._reader.points(series_ids, start, end)

    def bands(self, series_ids: Sequence[str], start: int | None, end: int | None) -> Mapping[str, Sequence[Band]]:
        """Return what detectors expected of the series, by detector."""
        return self._reader.bands(series_ids, start, end)

    def anomalies(
        self, projects: frozenset[str], *, series_ids: Sequence[str] | None = None, start: int | None = None, end: int | None = None,
        sort: str = "score", cursor: str | None = None, limit: int = 100,
    ) -> AnomalyPage:  # fmt: skip
        """Return flagged points; see the protocol."""
        offset = offset_of(cursor)
        found, total = self._listing.page(projects, series_ids, start, end, sort, offset, limit)
        of = self.series(list(dict.fromkeys(doc["series_id"] for doc in found)), projects)
        items = [
            AnomalyRow(**point_fields(_Row(doc)), series=of[doc["series_id"]])
            for doc in found
            if doc["series_id"] in of
        ]  # a series that went a moment ago takes its anomalies along
        return AnomalyPage(
            items=items, total=total, next_cursor=str(offset + limit) if offset + limit < total else None
        )

    def periods(self, kind: RecordKind, project: str, metric_set: str) -> Mapping[datetime, str]:
        """Return period start → digest of everything that is loaded."""
        mine = [{"term": {"set": set_key(project, metric_set)}}, {"term": {"doc": "state"}}]
        found = [State.of(hit["_source"]) for hit in scan(self.door, self._names[ROOM_OF[kind.name]], mine, ["month"])]
        return {datetime.fromtimestamp(at, UTC): digest for state in found for at, digest in state.digests.items()}

    def expire(self, project: str, metric_set: str, before: datetime) -> int:
        """Forget all periods that start before an instant; see the protocol."""
        known = self.door.ask(
            lambda c: c.get(index=self._names[SERIES], id=set_id(set_key(project, metric_set))), accept=(404,)
        )
        if known == -404:
            return 0
        about = MetricSetInfo(project, metric_set, known["_source"]["period"], known["_source"]["timezone"])
        return self._alone(about, lambda load: load.expire(epoch(before)))

    @contextmanager
    def rebuild(self) -> Iterator[ElasticIndex]:
        """Fill a new set of indices while this one serves, and swap it in at the end, if nothing failed.

        What others load into the serving set meanwhile is not in the new one: load the newest periods again afterwards, which costs nothing
        where nothing is missing. One rebuild at a time; what a dead one left is dropped first.

        Yields
        ------
        ElasticIndex
            Index to load everything into. Nobody else sees it.
        """
        with held(self.door, self._names, "rebuild"):
            fresh = object.__new__(ElasticIndex)
            fresh.door, fresh._shards, fresh.url = self.door, self._shards, self.url
            fresh._use(indices.begin(self.door, self._names, self._shards))
            try:
                yield fresh
            except BaseException:
                indices.drop(self.door, indices.leftovers(self.door, self._names))
                raise
            indices.swap(self.door, self._names)

    def close(self) -> None:
        """Close the connections of this process."""
        self.door.close()


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Look for no cycles meanwhile: a load makes none, and walking over its million small objects again and again takes half of its time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Row:
    """An anomaly's document as the row that the SQL index reads."""

    def __init__(self, doc: Mapping[str, object]) -> None:
        self.__dict__.update({**doc, "period": doc["period_start"]})
