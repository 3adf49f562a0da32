from __future__ import annotations

import pytest

from lupus_provider.errors import CatalogAwayError
from lupus_provider.records import POINTS
from lupus_provider.steps.publish_history import publish_history, without_catalog
from lupus_provider.stores.history.parquet import ParquetHistory
from lupus_provider.testing.builders import METRIC_SET, PROJECT, a_point, day, incoming, points


class Remembering:
    """A catalogue that remembers, and is away now and then."""

    name = "memory"

    def __init__(self):
        self.told, self.calls, self.is_away = {}, 0, False

    def publish(self, kind, project, metric_set, versions):
        self.calls += 1
        if self.is_away:
            raise CatalogAwayError(self.name, "ALTER TABLE", "away")
        self.told |= {(kind.name, project, metric_set, version.dt): version.n_rows for version in versions}


@pytest.fixture
def history(tmp_path):
    return ParquetHistory(tmp_path, Remembering())


def load(history, n, rows):
    table = points(*(a_point(1.0, day(n), entity=str(i)) for i in range(rows)))
    history.load(POINTS, PROJECT, METRIC_SET, lambda: [incoming(day(n), table)])


def test_a_history_without_a_catalogue_has_nothing_to_leave_out(tmp_path):
    assert without_catalog(ParquetHistory(tmp_path)) is None


def test_what_was_loaded_untold_is_told_later_and_once(history):
    load(without_catalog(history), 0, 3)
    assert history.catalog.calls == 0
    for _ in range(2):
        publish_history(history, PROJECT, METRIC_SET, ["points", "anomalies"])
    assert history.catalog.told == {("points", PROJECT, METRIC_SET, day().date()): 3}
    assert history.catalog.calls == 1


def test_an_error_leaves_it_untold(history):
    load(without_catalog(history), 0, 3)
    history.catalog.is_away = True
    with pytest.raises(CatalogAwayError):
        publish_history(history, PROJECT, METRIC_SET, ["points"])
    history.catalog.is_away = False
    publish_history(history, PROJECT, METRIC_SET, ["points"])
    assert list(history.catalog.told.values()) == [3]


def test_the_newest_version_is_told(history):
    for rows in (3, 2):
        load(without_catalog(history), 0, rows)
    publish_history(history, PROJECT, METRIC_SET, ["points"])
    assert list(history.catalog.told.values()) == [2]
