"""Demos as people start them: real processes, marked, so that none can be left behind unseen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import psutil
import pytest

MARK = "LUPUS_TEST_MARK"


class Demo:
    """One `lupus demo` process and everything that it starts."""

    def __init__(self, home: Path, port: int, *args: str) -> None:
        self.home, self.mark = home, uuid.uuid4().hex
        home.parent.mkdir(parents=True, exist_ok=True)
        self.log = home.parent / f"{home.name}-{self.mark}.txt"
        command = [sys.executable, "-m", "lupus_provider.cli", "demo", "--home", str(home), "--port", str(port), *args]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, MARK: self.mark})

    @property
    def output(self) -> str:
        return self.log.read_text()

    def survivors(self) -> list[psutil.Process]:
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(MARK) == self.mark and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False

    def wait_for(self, text: str) -> None:
        while text not in self.output:
            assert self.process.poll() is None, self.output
            time.sleep(0.1)

    def wait_end(self) -> int:
        return self.process.wait()

    def wait_gone(self) -> None:
        while self.survivors():
            time.sleep(0.1)

    def kill_task(self, dag_id_part: str = "") -> None:
        """SIGKILL the process that runs a task's code, as the kernel does when memory runs out."""
        while not (tasks := [process for process in self.survivors() if self._runs_task(process)]):
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
def free_port():
    from lupus_provider.cli.launcher import free_port

    return free_port
