"""Every stage keeps the laws; a new one adds one line."""

from __future__ import annotations

from functools import partial

import pytest

from lupus_provider.stores import open_stage
from lupus_provider.testing.stage import StageLaws

STAGES = {"local": lambda folder: (folder / "stage").as_uri()}


@pytest.fixture(params=STAGES)
def reopen(request, tmp_path):
    return partial(open_stage, STAGES[request.param](tmp_path))


@pytest.fixture
def stage(reopen):
    return reopen()


class TestStage(StageLaws):
    pass
