"""Fault tests work in memory where they can: a killed process does not lose what the kernel has, so the disk proves nothing here."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from lupus_provider.testing import processes

STORES = {
    "test_elastic": "Elasticsearch",
    "test_s3": "MinIO",
    "test_killed_steps": "folder, SQLite",
}
"""Test module → the stores that its killed processes write to."""
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory(dir=MEMORY) as name:
        yield Path(name)


@pytest.fixture
def tmp_path(folder):
    with tempfile.TemporaryDirectory(dir=folder) as name:
        yield Path(name)


@pytest.fixture(autouse=True)
def _counted(request):
    processes.counting(STORES.get(request.module.__name__.rpartition(".")[2], request.module.__name__))


def pytest_terminal_summary(terminalreporter):
    killed = {stores: count for stores, count in sorted(processes.KILLS.items()) if count}
    if killed:
        told = ", ".join(f"{count} over {stores}" for stores, count in killed.items())
        terminalreporter.write_line(f"killed by SIGKILL: {sum(killed.values())} loaders ({told})")
