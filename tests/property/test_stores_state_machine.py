"""Whatever is collected, loaded, repeated, interrupted and in whatever order: the stores come to agree."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lupus_provider.periods import Span
from lupus_provider.records import POINTS
from lupus_provider.stores import open_history, open_index, open_stage
from lupus_provider.stores.history.base import HistoryQuery, Incoming
from lupus_provider.stores.index.base import MetricSetInfo
from lupus_provider.testing.builders import METRIC_SET, PROJECT, a_point, content, day, points
from lupus_provider.testing.faults import injected

KEY = (POINTS, PROJECT, METRIC_SET)
ABOUT = MetricSetInfo(PROJECT, METRIC_SET, "hour", "UTC")
ALL = Span(day(-400), day(400))
ENTITIES = ("a", "b", "ü")

period = st.sampled_from([day(29), day(30, 22), day(30, 23), day(31), day(31, 1), day(59)])  # two in a day, two months
contents = st.dictionaries(st.sampled_from(ENTITIES), st.one_of(st.none(), st.integers(-3, 3).map(float)), max_size=3)
spans = st.tuples(period, period).map(lambda pair: Span(min(pair), max(pair) + (day(1) - day())))
acts = st.integers(1, 14)


class Interrupted(OSError):
    pass


def interrupt():
    raise Interrupted


class Stores(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.open()
        self.newest = {}
        """Period → (written at, content): what the stage must say."""
        self.loaded = {"history": {}, "index": {}}
        """What each store must say: the stage's newest at the last load of the period."""
        self.clock = 0

    def open(self):
        self.stage = open_stage((self.folder / "stage").as_uri())
        self.history = open_history((self.folder / "history").as_uri())
        self.index = open_index(f"sqlite:///{self.folder / 'index.db'}")

    def teardown(self):
        shutil.rmtree(self.folder)

    def write(self, start, values, written_at):
        rows = [a_point(value, start, entity=entity) for entity, value in values.items()]
        return self.stage.write(*KEY, start, points(*rows), written_at)

    def staged(self, span):
        files = self.stage.files(*KEY, span)
        return [Incoming(f.period_start, f.digest, f.written_at, lambda f=f: self.stage.read(POINTS, f)) for f in files]

    def load(self, store, span):
        if store == "history":
            self.history.load(*KEY, lambda: self.staged(span))
        else:
            self.index.load(POINTS, ABOUT, lambda: self.staged(span))
        mine = {start: values for start, (_, values) in self.newest.items() if span.start <= start < span.end}
        self.loaded[store].update(mine)

    @rule(start=period, values=contents)
    def collect_something_new(self, start, values):
        self.clock += 1
        assert self.write(start, values, day(self.clock))
        self.newest[start] = (self.clock, values)

    @precondition(lambda self: self.newest)
    @rule(data=st.data(), values=contents)
    def an_older_collection_comes_late(self, data, values):
        start = data.draw(st.sampled_from(sorted(self.newest)))
        assert not self.write(start, values, day(self.newest[start][0] - 1))

    @rule(store=st.sampled_from(["history", "index"]), span=spans)
    def load_a_span(self, store, span):
        self.load(store, span)

    @rule(store=st.sampled_from(["history", "index"]), span=spans, at=acts)
    def a_load_is_interrupted_and_repeated(self, store, span, at):
        with injected(at, interrupt):
            with suppress(Interrupted):
                self.load(store, span)
        self.load(store, span)

    @rule(start=period, values=contents, at=acts)
    def a_collection_is_interrupted_and_repeated(self, start, values, at):
        self.clock += 1
        with injected(at, interrupt):
            with suppress(Interrupted):
                self.write(start, values, day(self.clock))
        self.collect_something_new(start, values)

    @rule()
    def the_processes_start_anew(self):
        self.open()

    @invariant()
    def the_stage_says_the_newest(self):
        found = {f.period_start: self.values(self.stage.read(POINTS, f)) for f in self.stage.files(*KEY, ALL)}
        assert found == {start: values for start, (_, values) in self.newest.items()}

    @invariant()
    def the_history_says_what_was_loaded(self):
        table = self.history.scan(HistoryQuery(*KEY)).read_all()
        wanted = {(start, e): v for start, values in self.loaded["history"].items() for e, v in values.items()}
        assert {(row["period_start"], row["entity"]): row["value"] for row in content(POINTS, table)} == wanted
        assert set(self.history.periods(*KEY)) == set(self.loaded["history"])

    @invariant()
    def the_index_says_what_was_loaded(self):
        ids = {a_point(entity=entity)["series_id"]: entity for entity in ENTITIES}
        found = {
            (int(at), ids[sid]): None if value != value else value
            for sid, mine in self.index.points(list(ids), None, None).items()
            for at, value in zip(mine.t, mine.value)
        }
        wanted = {(start, e): v for start, values in self.loaded["index"].items() for e, v in values.items()}
        assert found == {(int(start.timestamp()), e): v for (start, e), v in wanted.items()}
        known = self.index.series(list(ids), frozenset({PROJECT}))
        assert {ids[sid] for sid in known} == {e for _, e in wanted}
        for sid, about in known.items():
            mine = {start: v for (start, e), v in wanted.items() if e == ids[sid]}
            assert about.n_points == len(mine)
            assert about.last_period == int(max(mine).timestamp())
            assert about.last_value == mine[max(mine)]

    @staticmethod
    def values(table):
        return {row["entity"]: row["value"] for row in table.to_pylist()}


TestStores = Stores.TestCase
TestStores.settings = settings(
    max_examples=12, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)
