"""The laws of what people say and arrange: feedback, dashboards, favourites, mutes, acknowledgements, links. See `testing.ledger`."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

from lupus_provider.stores.ledger.acknowledgements import Acknowledgement
from lupus_provider.stores.ledger.dashboards import Dashboard
from lupus_provider.stores.ledger.errors import DashboardMovedError, NoSuchRecordError, RecordTooLongError
from lupus_provider.stores.ledger.favourites import Favourite
from lupus_provider.stores.ledger.feedback import Feedback
from lupus_provider.stores.ledger.mutes import Mute, find_mute
from lupus_provider.testing.builders import METRIC_SET, PROJECT, day
from lupus_provider.testing.threads import at_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from lupus_provider.stores.ledger.base import LedgerStore

NOW = day(30)
MINUTE = timedelta(minutes=1)
TOKYO = timezone(timedelta(hours=9))


def a_feedback(label: Any = "real_problem", **given: Any) -> Feedback:
    """Return a statement about one day."""
    filled = {
        "project": PROJECT, "metric_set": METRIC_SET, "series_id": "s1", "first_period": day(), "last_period": day(),
        "given_by": "ann", "given_at": NOW, "note": "", **given,
    }  # fmt: skip
    return Feedback(label=label, **filled)


def a_dashboard(dashboard_id: str = "d1", **given: Any) -> Dashboard:
    """Return a dashboard."""
    filled = {
        "project": PROJECT, "title": "Überblick", "body": {"charts": ["s1"], "n": 1, "x": None}, "owner": "ann",
        "created_by": "ann", "created_at": NOW, "updated_by": "ann", "updated_at": NOW, **given,
    }  # fmt: skip
    return Dashboard(dashboard_id, **filled)


def a_mute(mute_id: str = "m1", **given: Any) -> Mute:
    """Return a mute of an hour."""
    filled = {
        "scope": "series", "target": "s1", "muted_by": "ann", "muted_at": NOW, "until": NOW + 60 * MINUTE,
        "reason": "migration", "project": PROJECT, **given,
    }  # fmt: skip
    return Mute(mute_id, **filled)


def refused(error: type[Exception], call: Callable[..., object], *args: Any) -> bool:
    """Say whether a call raises an error."""
    with suppress(error):
        call(*args)
        return False
    return True


class FeedbackLaws:
    """What every ledger keeps of feedback."""

    def test_feedback_comes_back_exactly(self, ledger: LedgerStore) -> None:
        late = a_feedback("new_normal", series_id="s2", first_period=day(2), last_period=day(5), note="é\n'")
        assert ledger.give_feedback(late)
        assert ledger.give_feedback(a_feedback(given_at=NOW + timedelta(microseconds=1)))
        assert ledger.feedback([PROJECT]) == [a_feedback(given_at=NOW + timedelta(microseconds=1)), late]
        assert ledger.feedback([PROJECT], METRIC_SET, ["s2"], day(5)) == [late]
        for nothing in ([], ["other"]):
            assert ledger.feedback(nothing) == []
        assert ledger.feedback([PROJECT], "other") == ledger.feedback([PROJECT], series_ids=[]) == []
        assert ledger.feedback([PROJECT], since=day(6)) == []

    def test_a_correction_supersedes_and_history_keeps_both(self, ledger: LedgerStore) -> None:
        said = [a_feedback(), a_feedback("false_alarm", given_by="bob", last_period=day(1)), a_feedback("expected")]
        for statement in said:
            assert ledger.give_feedback(statement)
        assert ledger.feedback([PROJECT]) == [said[-1]]
        assert ledger.feedback_history("s1", day()) == said
        assert ledger.feedback_history("s1", day(1)) == []

    def test_saying_the_same_again_records_nothing(self, ledger: LedgerStore) -> None:
        assert ledger.give_feedback(a_feedback())
        assert not ledger.give_feedback(a_feedback(given_at=NOW + MINUTE, first_period=day().astimezone(TOKYO)))
        assert ledger.feedback_history("s1", day()) == [a_feedback()]

    def test_a_statement_can_be_taken_back(self, ledger: LedgerStore) -> None:
        ledger.give_feedback(a_feedback())
        assert ledger.give_feedback(a_feedback(None))
        assert ledger.feedback([PROJECT]) == []
        assert [one.label for one in ledger.feedback_history("s1", day())] == ["real_problem", None]

    def test_statements_at_the_same_moment_are_all_kept_and_one_is_current(self, ledger: LedgerStore) -> None:
        assert all(at_once(6, lambda n: ledger.give_feedback(a_feedback(given_by=f"user{n}"))))
        history = ledger.feedback_history("s1", day())
        assert sorted(one.given_by for one in history) == [f"user{n}" for n in range(6)]
        assert ledger.feedback([PROJECT]) == [history[-1]]

    def test_a_text_that_is_too_long_is_refused(self, ledger: LedgerStore) -> None:
        assert refused(RecordTooLongError, ledger.give_feedback, a_feedback(given_by="x" * 256))
        assert ledger.give_feedback(a_feedback(note="x" * 100_000))


class DashboardLaws:
    """What every ledger keeps of dashboards."""

    def test_dashboards_come_back_exactly(self, ledger: LedgerStore) -> None:
        mine, everyone = a_dashboard(), a_dashboard("d2", project=None, title="a")
        assert ledger.create_dashboard(mine) == mine
        ledger.create_dashboard(everyone)
        ledger.create_dashboard(a_dashboard("d3", project="secret"))
        assert ledger.dashboards([PROJECT]) == [everyone, mine]
        assert ledger.dashboards([]) == [everyone]
        assert ledger.dashboard("d1") == mine
        assert ledger.dashboard("nobody") is None

    def test_creating_twice_equals_creating_once(self, ledger: LedgerStore) -> None:
        ledger.create_dashboard(a_dashboard())
        assert ledger.create_dashboard(a_dashboard(created_at=NOW + MINUTE)) == a_dashboard()
        assert refused(DashboardMovedError, ledger.create_dashboard, a_dashboard(title="other"))

    def test_a_change_is_made_to_the_version_that_was_seen(self, ledger: LedgerStore) -> None:
        seen = ledger.create_dashboard(a_dashboard())
        new = replace(seen, title="new", body={}, project=None, owner="bob", updated_by="bob", updated_at=NOW + MINUTE)
        assert ledger.update_dashboard(new) == replace(new, version=2)
        assert ledger.update_dashboard(new) == replace(new, version=2), "a repeated request changes nothing more"
        assert refused(DashboardMovedError, ledger.update_dashboard, replace(seen, title="stale"))
        assert refused(DashboardMovedError, ledger.delete_dashboard, "d1", 1, "ann", NOW)
        assert ledger.dashboard("d1") == replace(new, version=2)

    def test_of_changes_at_the_same_moment_one_is_recorded(self, ledger: LedgerStore) -> None:
        seen = ledger.create_dashboard(a_dashboard())
        losers = at_once(
            6, lambda n: refused(DashboardMovedError, ledger.update_dashboard, replace(seen, title=f"{n}"))
        )
        assert losers.count(False) == 1
        stored = ledger.dashboard("d1")
        assert stored is not None
        assert (stored.version, stored.title) == (2, f"{losers.index(False)}")

    def test_a_deleted_dashboard_can_be_restored_until_it_is_purged(self, ledger: LedgerStore) -> None:
        ledger.create_dashboard(a_dashboard())
        for _ in range(2):
            ledger.delete_dashboard("d1", 1, "bob", NOW + MINUTE)
        assert ledger.dashboards([PROJECT]) == []
        assert [one.deleted_at for one in ledger.dashboards([PROJECT], deleted=True)] == [NOW + MINUTE]
        assert refused(NoSuchRecordError, ledger.update_dashboard, a_dashboard(version=2))
        ledger.restore_dashboard("d1", "ann", NOW + 2 * MINUTE)
        restored = ledger.restore_dashboard("d1", "bob", NOW + 3 * MINUTE)
        assert (restored.version, restored.deleted_at, restored.updated_by) == (3, None, "ann")
        assert ledger.purge_dashboards(NOW + timedelta(days=9)) == 0
        ledger.delete_dashboard("d1", 3, "bob", NOW)
        assert ledger.purge_dashboards(NOW) == 0
        assert ledger.purge_dashboards(NOW + MINUTE) == 1
        assert refused(NoSuchRecordError, ledger.restore_dashboard, "d1", "ann", NOW)
        assert refused(NoSuchRecordError, ledger.delete_dashboard, "d1", 3, "ann", NOW)


class MuteLaws:
    """What every ledger keeps of mutes."""

    def test_a_mute_is_in_force_until_it_ends(self, ledger: LedgerStore) -> None:
        assert ledger.mute(a_mute())
        assert not ledger.mute(a_mute(reason="again"))
        assert ledger.mutes(NOW) == ledger.mutes() == [a_mute()]
        for at in (NOW - MINUTE, NOW + 60 * MINUTE):
            assert ledger.mutes(at) == []

    def test_a_lifted_mute_keeps_who_lifted_it_first(self, ledger: LedgerStore) -> None:
        ledger.mute(a_mute())
        assert ledger.lift_mute("m1", "bob", NOW + MINUTE)
        assert not ledger.lift_mute("m1", "eve", NOW + 2 * MINUTE)
        assert ledger.mutes() == [replace(a_mute(), lifted_by="bob", lifted_at=NOW + MINUTE)]
        assert (len(ledger.mutes(NOW)), ledger.mutes(NOW + MINUTE)) == (1, [])
        assert refused(NoSuchRecordError, ledger.lift_mute, "nobody", "bob", NOW)

    def test_a_mute_that_has_ended_is_not_lifted(self, ledger: LedgerStore) -> None:
        ledger.mute(a_mute())
        assert not ledger.lift_mute("m1", "bob", NOW + 60 * MINUTE)
        assert ledger.mutes() == [a_mute()]

    def test_mutes_that_ended_long_ago_can_be_forgotten(self, ledger: LedgerStore) -> None:
        ledger.mute(a_mute("m1", until=NOW + MINUTE))
        ledger.mute(a_mute("m2"))
        assert ledger.purge_mutes(NOW + 2 * MINUTE) == 1
        assert [mute.mute_id for mute in ledger.mutes()] == ["m2"]

    def test_the_longest_mute_of_any_name_is_found(self, ledger: LedgerStore) -> None:
        scopes = {"project": PROJECT, "metric_set": f"{PROJECT}.{METRIC_SET}", "owner": "ann", "deadline": "x"}
        for n, (scope, target) in enumerate(scopes.items()):
            ledger.mute(a_mute(scope, scope=scope, target=target, until=NOW + (n + 1) * MINUTE))
        mutes = ledger.mutes(NOW)
        for wanted, names in (
            ("project", {"project": PROJECT}), ("metric_set", {"project": PROJECT, "metric_set": METRIC_SET, "series_id": "s1"}),
            ("owner", {"owner": "ann", "project": PROJECT}), (None, {"series_id": "x", "owner": "x"}), (None, {}),
        ):  # fmt: skip
            found = find_mute(mutes, NOW, **names)
            assert (found.mute_id if found else None) == wanted, names


class MarkLaws:
    """What every ledger keeps of favourites, acknowledgements and links."""

    def test_a_favourite_is_its_owners_and_there_once(self, ledger: LedgerStore) -> None:
        first, second = (Favourite("ann", "series", f"s{n}", NOW + n * MINUTE) for n in (1, 2))
        assert [ledger.add_favourite(one) for one in (first, second, replace(first, added_at=NOW))] == [
            True,
            True,
            False,
        ]
        ledger.add_favourite(Favourite("bob", "dashboard", "d1", NOW))
        assert ledger.favourites("ann") == [second, first]
        assert ledger.favourites("ann", "dashboard") == []
        assert [ledger.remove_favourite("ann", "series", "s1") for _ in range(2)] == [True, False]
        assert (ledger.favourites("ann"), len(ledger.favourites("bob"))) == ([second], 1)

    def test_the_same_mark_at_the_same_moment_is_made_once(self, ledger: LedgerStore) -> None:
        mark = Favourite("ann", "series", "s1", NOW)
        assert at_once(6, lambda _: ledger.add_favourite(mark)).count(True) == 1

    def test_who_acknowledged_first_is_first(self, ledger: LedgerStore) -> None:
        late, soon = (
            Acknowledgement("episode", "e1", "ann", NOW + MINUTE),
            Acknowledgement("episode", "e1", "bob", NOW, "me"),
        )
        assert [ledger.acknowledge(one) for one in (late, soon, replace(late, acknowledged_at=NOW))] == [
            True,
            True,
            False,
        ]
        ledger.acknowledge(Acknowledgement("deadline", "e1", "eve", NOW))
        assert ledger.acknowledgements("episode", ["e1", "e2"]) == {"e1": [soon, late]}
        assert [ledger.take_back_acknowledgement("episode", "e1", "bob") for _ in range(2)] == [True, False]
        assert ledger.acknowledgements("episode", ["e1"]) == {"e1": [late]}

    def test_a_target_has_one_short_link(self, ledger: LedgerStore) -> None:
        target = "/discover?q=" + "größe&" * 1000
        links = at_once(4, lambda n: ledger.shorten(target, f"user{n}", NOW))
        assert len(set(links)) == 1
        assert ledger.link_target(links[0]) == target
        assert ledger.shorten("/", "ann", NOW) != links[0]
        assert ledger.link_target("nobody") is None


class PeopleLaws(FeedbackLaws, DashboardLaws, MuteLaws, MarkLaws):
    """What every ledger keeps of what people say and arrange."""


__all__ = ["PeopleLaws", "a_dashboard", "a_feedback", "a_mute"]
