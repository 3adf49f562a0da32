"""Starts and stops the demo's Airflow: api-server, scheduler and DAG processor, without triggerer and log server.

Own launcher instead of `airflow standalone`, because that one leaves processes behind and listens on all addresses.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from importlib.metadata import version
from typing import TYPE_CHECKING

import httpx

from lupus_provider.cli.errors import ComponentDiedError, NotReadyError, PortBusyError
from lupus_provider.cli.supervisor import adopt_orphans, die_with_parent, end_descendants

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lupus_provider.cli.home import DemoHome

READY_SECONDS = 180.0
_POLL_SECONDS = 0.25


def check_port(port: int) -> None:
    """Refuse a port that something else listens on.

    Raises
    ------
    PortBusyError
        If it is taken. Airflow itself would stay up with a dead api-server.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as err:
            raise PortBusyError(port) from err


def migrate(home: DemoHome, env: dict[str, str]) -> None:
    """Make Airflow's database, once a version of Airflow.

    Raises
    ------
    ComponentDiedError
        If Airflow could not.
    """
    stamp, wanted = home.airflow / "migrated", version("apache-airflow-core")
    if stamp.exists() and stamp.read_text() == wanted and (home.airflow / "airflow.db").exists():
        return
    log = home.logs / "migrate.log"
    with log.open("wb") as file:
        # Its own process group: Ctrl-C reaches this process only, which then ends the child itself.
        done = subprocess.run(  # noqa: S603
            _airflow("db", "migrate"),
            env=env,
            stdout=file,
            stderr=file,
            process_group=0,
            preexec_fn=die_with_parent,
            check=False,
        )
    if done.returncode:
        raise ComponentDiedError("migration", done.returncode, str(log))
    stamp.write_text(wanted)


class Launcher:
    """The running Airflow of a demo.

    Parameters
    ----------
    home
        The demo's folder.
    env
        Environment of the processes, of `airflow_environment`.
    port
        Port of the api-server.
    lock
        Descriptor of the home's lock; the supervisor keeps it until the last process has ended.
    """

    def __init__(self, home: DemoHome, env: dict[str, str], port: int, lock: int) -> None:
        self.home, self.env, self.port, self.lock = home, env, port, lock
        self.url = f"http://127.0.0.1:{port}"
        self._supervisor: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the supervisor, and it the processes; returns at once."""
        adopt_orphans()
        self._supervisor = subprocess.Popen(
            [sys.executable, "-m", "lupus_provider.cli.supervisor"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(self.home.logs / "supervisor.log").open("ab"),
            start_new_session=True,
            pass_fds=(self.lock,),
        )
        spec = {"env": self.env, "components": [self._component(name, *argv) for name, argv in _COMPONENTS.items()]}
        assert self._supervisor.stdin is not None
        self._supervisor.stdin.write(json.dumps(spec).encode() + b"\n")
        self._supervisor.stdin.flush()

    def _component(self, name: str, *argv: str) -> dict[str, object]:
        extra = ("--host", "127.0.0.1", "--port", str(self.port)) if name == "api-server" else ()
        log = self.home.logs / f"{name}.log"
        log.write_bytes(b"")
        return {"name": name, "argv": _airflow(*argv, *extra), "log": str(log)}

    def check(self) -> None:
        """Raise ComponentDiedError if one of the processes has ended."""
        if self._supervisor is None or self._supervisor.poll() is None:
            return
        assert self._supervisor.stdout is not None
        line = self._supervisor.stdout.read()
        died = json.loads(line) if line else {"name": "supervisor", "code": self._supervisor.returncode}
        raise ComponentDiedError(died["name"], died["code"], str(self.home.logs / f"{died['name']}.log"))

    def wait(self, what: str, is_done: Callable[[], bool], seconds: float = READY_SECONDS) -> None:
        """Wait until something is done.

        Raises
        ------
        ComponentDiedError
            If one of Airflow's processes ends meanwhile.
        NotReadyError
            If it takes longer than `seconds`.
        """
        deadline = time.monotonic() + seconds
        while not is_done():
            self.check()
            if time.monotonic() > deadline:
                raise NotReadyError(what, seconds, str(self.home.logs))
            time.sleep(_POLL_SECONDS)

    def wait_ready(self) -> None:
        """Wait until Airflow answers; then have it build its execution API, which the first task would wait for."""
        self.wait("the start of Airflow's api-server", self._answers)
        threading.Thread(target=self._warm, daemon=True).start()

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/api/v2/version", timeout=5).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def _warm(self) -> None:
        try:
            httpx.get(f"{self.url}/execution/health", timeout=60)
        except httpx.TransportError:
            return  # only a head start: the first task asks again

    def stop(self) -> None:
        """Stop everything; returns when no process is left."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is None:
            return
        # A second Ctrl-C must not leave processes behind.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        assert supervisor.stdin is not None
        assert supervisor.stdout is not None
        supervisor.stdin.close()
        supervisor.wait()
        supervisor.stdout.close()
        end_descendants([], grace=0)
        signal.signal(signal.SIGINT, before)


_COMPONENTS = {
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
}


def _airflow(*argv: str) -> list[str]:
    return [sys.executable, "-m", "airflow", *argv]


def log_of_task(home: DemoHome, dag_id: str, run_id: str, task_id: str, try_number: int) -> Path:
    """Return the log file of a task's try."""
    folder = home.airflow / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}" / f"task_id={task_id}"
    return folder / f"attempt={max(try_number, 1)}.log"
