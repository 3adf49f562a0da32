"""Every object storage keeps the laws; a new one adds one place."""

from __future__ import annotations

import pytest

from lupus_provider.stores.objects import open_objects
from lupus_provider.testing.objects import ObjectLaws


@pytest.fixture
def objects(place):
    return open_objects("test", *place)


class TestObjects(ObjectLaws):
    pass
