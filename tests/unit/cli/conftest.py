from __future__ import annotations

import pytest

from lupus_provider.cli.flights import prepare_flights


@pytest.fixture(scope="session")
def whole_year(tmp_path_factory):
    """The prepared data folder of the flights project; read only."""
    data = tmp_path_factory.mktemp("data")
    prepare_flights(data)
    return data
