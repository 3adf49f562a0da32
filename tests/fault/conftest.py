"""Fault tests work in memory where they can: a killed process does not lose what the kernel has, so the disk proves nothing here."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory(dir=MEMORY) as name:
        yield Path(name)


@pytest.fixture
def tmp_path(folder):
    with tempfile.TemporaryDirectory(dir=folder) as name:
        yield Path(name)
