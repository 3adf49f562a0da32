from __future__ import annotations

from datetime import UTC, datetime

from lupus_provider import clock


def test_the_clock_is_aware_and_in_utc():
    before = datetime.fromtimestamp(0, UTC)
    now = clock.utc_now()
    assert now.tzinfo is UTC
    assert now > before
