"""A demo that stays up, for a real browser."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Site:
    """A running Airflow with the flights loaded."""

    url: str
    user: str
    password: str


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    # A home that another test of this run has loaded (tests/integration/conftest.py), else a new one.
    home, log = Path(os.environ.get("LUPUS_TEST_DEMO", folder / "home")), folder / "log.txt"
    command = [sys.executable, "-m", "lupus_provider.cli", "demo", "--home", str(home), "--port", str(free_port())]
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)
    try:
        while "Ctrl-C" not in log.read_text():
            assert process.poll() is None, log.read_text()
            time.sleep(0.2)
        address = json.loads((home / "address.json").read_text())
        yield Site(address["url"].rstrip("/"), address["user"], address["password"])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
