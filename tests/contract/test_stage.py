"""Every stage keeps the laws; a new one adds one place."""

from __future__ import annotations

from functools import partial

import pytest

from lupus_provider.stores import open_stage
from lupus_provider.testing.stage import StageLaws


@pytest.fixture
def reopen(place):
    return partial(open_stage, *place)


@pytest.fixture
def stage(reopen):
    return reopen()


class TestStage(StageLaws):
    pass
