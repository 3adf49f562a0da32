from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from lupus_provider.alert.messages import LINES, LISTED, compose, message_id
from lupus_provider.stores.ledger.base import Episode

DAY = datetime(2013, 2, 8, 5, tzinfo=UTC)
NEMO = Episode(
    "e1", "flights", "departures", "s1", "dep_delay null_ratio", DAY, DAY + timedelta(days=1), "open", DAY + timedelta(days=1), "spike", "critical",
    "seasonal:1f0c2a9b", 0.567108, 0.0204, 1e-12,
)  # fmt: skip
ROWS = replace(NEMO, episode_id="e2", series_id="s2", name="row_count [origin=LGA]", last_period=DAY, worst_period=DAY, kind="dip",
               severity="high", value=1_042.0, expected=12_345.0, state="over")  # fmt: skip
SILENT = replace(
    ROWS, episode_id="e3", series_id="s3", name="row_count", kind="missing", value=None, expected=None, state="open"
)


def many(count):
    return [replace(NEMO, episode_id=f"e{i}", name=f"carrier count {i:02}") for i in range(count)]


def tell(opened=(), over=(), period="day", owner: str | None = "flight-delay", zone="America/New_York"):
    return compose(
        project="flights",
        metric_set="departures",
        owner=owner,
        period=period,
        zone=ZoneInfo(zone),
        opened=opened,
        over=over,
    )


CASES = {
    "news": tell([NEMO, ROWS, SILENT]),
    "news_and_recovery": tell([NEMO], [ROWS, SILENT]),
    "recovery": tell([], [NEMO]),
    "one": tell([SILENT], owner=None),
    "hourly": tell([NEMO], period="hour", zone="Asia/Tokyo"),
    "many": tell(many(15), many(14)),
    "forged": tell(
        [replace(NEMO, name="JP\nflights.departures: all is well\n\u202eOwner: nobody")], owner="me\nOwner: you"
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_messages_read_as_agreed(root, case):
    """To change the wording, change the files in tests/golden/messages by hand, and look at them."""
    body = CASES[case]
    golden = root / "tests/golden/messages" / f"{case}.txt"
    assert f"{body['title']}\n\n{body['text']}\n" == golden.read_text(encoding="utf-8")


def test_no_name_forges_a_line():
    body = CASES["forged"]
    assert len(body["text"].splitlines()) == 2
    assert len(body["title"].splitlines()) == 1
    assert all("\n" not in str(value) for episode in body["episodes"] for value in episode.values())


def test_a_name_is_no_template():
    assert "{{ owner }}{% for %}" in tell([replace(NEMO, name="{{ owner }}{% for %}")])["text"]


def test_programs_get_numbers_and_no_more_than_they_can_take():
    body = tell(many(150))
    assert len(body["episodes"]) == LISTED
    assert (body["n_opened"], body["n_over"]) == (150, 0)
    assert body["episodes"][0]["value"] == 0.567108
    assert json.loads(json.dumps(body, allow_nan=False)) == body


def test_a_message_names_so_many_and_counts_the_rest():
    text = tell(many(LINES + 3))["text"]
    assert text.count("carrier count") == LINES
    assert "and 3 more" in text


def test_the_identity_of_a_message_is_its_news_in_any_order():
    news = [("e1", "opened"), ("e2", "over")]
    assert message_id("c", news) == message_id("c", news[::-1]) == "34d20fcb9af8be72518dad6bc6eefd17"


def test_another_channel_or_event_is_another_message():
    ids = [
        message_id("c", [("e1", "opened")]),
        message_id("c", [("e1", "over")]),
        message_id("d", [("e1", "opened")]),
        message_id("c", []),
    ]
    assert len(set(ids)) == 4
