"""Demos as people start them: real processes, marked, so that none can be left behind unseen."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import uuid
from typing import TYPE_CHECKING

import psutil
import pytest

from lupus_provider.records import ANOMALIES, EVALUATIONS, POINTS
from lupus_provider.stores import open_history, open_index

if TYPE_CHECKING:
    from pathlib import Path

MARK = "LUPUS_TEST_MARK"
LOADED = "LUPUS_TEST_DEMO"


class Demo:
    """One `lupus demo` process and everything that it starts."""

    def __init__(self, home: Path, port: int, *args: str) -> None:
        self.home, self.mark = home, uuid.uuid4().hex
        home.parent.mkdir(parents=True, exist_ok=True)
        self.log = home.parent / f"{home.name}-{self.mark}.txt"
        command = [sys.executable, "-m", "lupus_provider.cli", "demo", "--home", str(home), "--port", str(port), *args]
        self._sessions: set[int] = set()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, MARK: self.mark})

    @property
    def output(self) -> str:
        return self.log.read_text()

    def survivors(self) -> list[psutil.Process]:
        """Processes that carry the mark, and those of their sessions: Airflow's workers rename themselves, which wipes the mark."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            session = os.getsid(process.pid)
            if process.environ().get(MARK) == self.mark and session != os.getsid(0):
                self._sessions.add(session)
                return True
            return session in self._sessions or process.environ().get(MARK) == self.mark
        except (psutil.NoSuchProcess, psutil.AccessDenied, ProcessLookupError):
            return False

    def wait_for(self, text: str) -> None:
        while text not in self.output:
            assert self.process.poll() is None, self.output
            self.survivors()
            time.sleep(0.1)

    def wait_end(self) -> int:
        while self.process.poll() is None:
            self.survivors()
            time.sleep(0.2)
        return self.process.returncode

    def wait_gone(self) -> None:
        while self.survivors():
            time.sleep(0.1)

    def kill_task(self) -> None:
        """SIGKILL the process that runs a task's code, as the kernel does when memory runs out."""
        while not (tasks := [process for process in self.survivors() if self._runs_task(process)]):
            assert self.process.poll() is None, self.output
            time.sleep(0.05)
        tasks[0].kill()

    @staticmethod
    def _runs_task(process: psutil.Process) -> bool:
        try:
            parent = process.parent()
            names = [" ".join(p.cmdline()) for p in (process, parent) if p is not None]
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False
        return len(names) == 2 and all(name.startswith("airflow worker") for name in names)

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


@pytest.fixture
def demo(free_port):
    started: list[Demo] = []

    def start(home: Path, *args: str, port: int | None = None) -> Demo:
        started.append(Demo(home, port or free_port(), *args))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.end()
        for process in one.survivors():
            process.kill()


@pytest.fixture(scope="session")
def demo_class():
    return Demo


@pytest.fixture(scope="session")
def free_port():
    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    return find


def contents_of(home: Path) -> dict[str, bytes | list[str]]:
    """Every file of the stores, databases by what is in them."""
    found: dict[str, bytes | list[str]] = {}
    for path in sorted((home / "stores").rglob("*")):
        if path.suffix == ".db":
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
                found[path.name] = list(database.iterdump())
        elif path.is_file() and not path.name.endswith(("-wal", "-shm")):
            found[str(path.relative_to(home))] = path.read_bytes()
    return found


def known_of(home: Path) -> dict[tuple[str, str, str], dict]:
    """Period by period digests of everything that is loaded, without who loaded it and when."""
    stores = {
        "history": open_history(f"file://{home}/stores/history"),
        "index": open_index(f"sqlite:///{home}/stores/index.db"),
    }
    return {
        (name, kind.name, metric_set): dict(store.periods(kind, "flights", metric_set))
        for name, store in stores.items()
        for kind in (POINTS, ANOMALIES, EVALUATIONS)
        for metric_set in ("departures", "weather")
    }


@pytest.fixture(scope="session")
def loaded(tmp_path_factory, free_port, demo_class):
    """A home that a demo has loaded, and what the demo said."""
    home = tmp_path_factory.mktemp("demo") / "home"
    demo = demo_class(home, free_port(), "--once")
    assert demo.wait_end() == 0, demo.output
    assert demo.survivors() == []
    os.environ[LOADED] = str(home)  # tests of the page that come later in this run need not load a year again
    return home, demo.output


@pytest.fixture(scope="session")
def contents():
    return contents_of


@pytest.fixture(scope="session")
def what_is_known():
    return known_of
