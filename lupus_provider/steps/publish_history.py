"""publish_history: history → its catalogue. Tells other people's SQL of the versions that it does not know yet.

`load_history` does it by itself; where statements are long, this is the part of the load that somebody else may do later.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lupus_provider.naming import metric_set_path
from lupus_provider.records import KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lupus_provider.stores.history.base import HistoryStore
    from lupus_provider.stores.history.parquet import ParquetHistory

log = logging.getLogger(__name__)


def without_catalog(history: HistoryStore) -> HistoryStore | None:
    """Return the same history that tells no catalogue of its loads; None if it has none to tell.

    Examples
    --------
    >>> from pathlib import Path
    >>> from lupus_provider.stores.history.parquet import ParquetHistory
    >>> without_catalog(ParquetHistory(Path("/srv/lupus/history"))) is None
    True
    """
    from lupus_provider.stores.history.parquet import ParquetHistory

    if not isinstance(history, ParquetHistory) or history.catalog is None:
        return None
    return ParquetHistory(history.objects, None, history.grace)


def publish_history(history: ParquetHistory, project: str, metric_set: str, kinds: Sequence[str]) -> None:
    """Tell the catalogue all days of these kinds that it does not know as they are, and note it in the manifest.

    Safe to repeat, at any time and beside a load: what is told is always the newest version, and it is noted only after it was told.

    Raises
    ------
    CatalogError, CatalogAwayError
        See `stores.history.catalog.Catalog.publish`.
    """
    from lupus_provider.stores.history.publishing import publish

    assert history.catalog is not None
    for kind in kinds:
        folder = f"{kind}/{metric_set_path(project, metric_set)}"
        with history.objects.exclusive(f"{folder}/.lock"):
            publish(history.objects, history.catalog, KINDS[kind], project, metric_set, folder)
        log.info("%s knows %s of %s/%s", history.catalog.name, kind, project, metric_set)
