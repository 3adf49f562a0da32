"""One server process for tests: started, awaited, killed, stopped for a while, started again on the same data and port.

Fault tests do to real servers what machines do to them; whatever a test does, no process is left when the run ends, even by SIGKILL.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Self

import psutil

from lupus_provider.errors import Terminal, Transient
from lupus_provider.testing.spark import LOOPBACK, die_with_parent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

START_SECONDS = 180.0
"""Longest wait for a server to answer; cold, on a busy machine."""
STOP_SECONDS = 30.0
_TAIL = 4000
# Ports that the kernel gives to no client: a client that retries at the port of a dead server could else get that port for itself.
_PORTS = range(20_000, 32_000)
# Variables of this process, of its own Spark for example, that would lead a server astray.
_OTHERS = ("AWS_", "ES_", "HADOOP_", "HIVE_", "MINIO_", "PYSPARK_", "SPARK_")
# The kernel ends a process with the *thread* that started it, so one thread that lives as long as the run starts them all.
_STARTER = ThreadPoolExecutor(1, thread_name_prefix="lupus-servers")
_RUNNING: set[ServerProcess] = set()
_TEMPORARY: list[Path] = []


class ServerNotReadyError(Transient):
    """A server of the tests ended, or did not answer in time."""

    def __init__(self, name: str, why: str, log: Path, last: str) -> None:
        self.name, self.why, self.log, self.last = name, why, log, last
        super().__init__(f"{name} {why}. The end of {log}:\n{last}")


class ServerIsRunningError(Terminal):
    """A server of the tests was started twice."""

    def __init__(self, name: str, pid: int) -> None:
        self.name, self.pid = name, pid
        super().__init__(f"{name} runs already, as process {pid}. Stop it first, or make another one with other data.")


class ServerProcess:
    """A server in a session of its own, with its data, log and pid in one folder.

    Parameters
    ----------
    data
        Folder of all its files, kept when it stops; by default a new one, which goes with this process.
    port
        Where it listens on 127.0.0.1; by default a free one, which stays the same over restarts.

    Attributes
    ----------
    log
        What it printed, over all its starts.
    pid_file
        Holds its process id while it runs.
    """

    name = "server"

    def __init__(self, data: Path | None = None, port: int | None = None) -> None:
        self.data = _temporary_folder(self.name) if data is None else Path(data).resolve()
        self.port = quiet_port() if port is None else port
        self.log, self.pid_file = self.data / "server.log", self.data / "server.pid"
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> Sequence[str]:
        """Return what starts it in the foreground; it is run in the folder of its data."""
        raise NotImplementedError

    def environment(self) -> Mapping[str, str]:
        """Return variables that it gets in addition to those of this process."""
        return {}

    def answers(self) -> bool:
        """Say whether it is ready; by default whether it listens."""
        return listens(self.port)

    @property
    def address(self) -> str:
        """`127.0.0.1:PORT`."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def url(self) -> str:
        """How a client names it."""
        return f"http://{self.address}"

    @property
    def is_alive(self) -> bool:
        """Whether its process exists; one that is paused does."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Its process id, None if it does not run."""
        return self._process.pid if self._process is not None and self.is_alive else None

    @property
    def memory(self) -> int:
        """Bytes of memory that its processes hold."""
        return sum(process.memory_info().rss for process in self._tree())

    def start(self, seconds: float = START_SECONDS, *, wait: bool = True) -> Self:
        """Start it on its data and port.

        Parameters
        ----------
        seconds
            Longest wait until it answers.
        wait
            False returns at once; see `wait_until_ready`.

        Raises
        ------
        ServerNotReadyError
            If it ends or does not answer in time; nothing is left then.
        ServerIsRunningError
            If it runs.
        """
        if self._process is not None and self.is_alive:
            raise ServerIsRunningError(self.name, self._process.pid)
        self.data.mkdir(parents=True, exist_ok=True)
        command, environment = self.command(), {**_neutral_environment(), **self.environment()}
        _RUNNING.add(self)
        self._process = _STARTER.submit(self._open, command, environment).result()
        self.pid_file.write_text(f"{self._process.pid}\n", encoding="utf-8")
        if wait:
            self.wait_until_ready(seconds)
        return self

    def wait_until_ready(self, seconds: float = START_SECONDS) -> None:
        """Wait until it answers; raises ServerNotReadyError, having killed it, if it ends or takes longer."""
        deadline = time.monotonic() + seconds
        while not (self.is_alive and self.answers()):
            code = self._process.poll() if self._process is not None else None
            if self._process is None or code is not None or time.monotonic() > deadline:
                self.kill()
                why = f"does not answer at {self.address} after {seconds:g} s" if code is None else f"ended with {code}"
                raise ServerNotReadyError(self.name, why, self.log, self.last_words())
            time.sleep(0.05)

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """End it as an administrator would, by SIGTERM; what is left after `seconds` is killed. Nothing happens if it does not run."""
        if self._process is not None and self.is_alive:
            self.resume()
            tree = self._tree()
            os.killpg(self._process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
            _end(tree)
        self.kill()

    def kill(self) -> None:
        """End it as a power cut would: SIGKILL to the process and all that it started. Nothing happens if it does not run."""
        if self._process is not None:
            tree = self._tree()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            _end(tree)
            self._process.wait()
        self._process = None
        self.pid_file.unlink(missing_ok=True)
        _RUNNING.discard(self)

    def pause(self) -> None:
        """Freeze it by SIGSTOP: connections stay open and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        self._signal(signal.SIGCONT)

    def restart(self, seconds: float = START_SECONDS) -> Self:
        """Stop it if it runs, and start it on the same data and port."""
        self.stop()
        return self.start(seconds)

    def last_words(self) -> str:
        """Return the end of its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-_TAIL:] if self.log.exists() else ""

    def __enter__(self) -> Self:
        return self if self.is_alive else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _open(self, command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as output:
            return subprocess.Popen(  # noqa: S603
                list(command), env=dict(environment), cwd=self.data, stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, start_new_session=True, preexec_fn=die_with_parent,
            )  # fmt: skip

    def _signal(self, number: signal.Signals) -> None:
        for process in self._tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def _tree(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            if self._process is not None and self.is_alive:
                parent = psutil.Process(self._process.pid)
                return [parent, *parent.children(recursive=True)]
        return []


def quiet_port() -> int:
    """Return a port of this machine that nobody listens at and that the kernel gives to no client.

    Else a client that tries again and again to reach a server that is down may be given the server's port for its own end, reach
    itself, and keep the server from starting again.
    """
    ports = random.SystemRandom().sample(_PORTS, 200)
    return next(port for port in ports if _is_free(port))


def listens(port: int) -> bool:
    """Say whether somebody accepts connections at a port of this machine."""
    with socket.socket() as client:
        client.settimeout(1.0)
        return client.connect_ex((LOOPBACK, port)) == 0


def _neutral_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(_OTHERS)}


def _temporary_folder(name: str) -> Path:
    _TEMPORARY.append(Path(mkdtemp(prefix=f"lupus-{name}-")))
    return _TEMPORARY[-1]


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        try:
            listener.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def _end(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=STOP_SECONDS)


def _end_all(owner: int = os.getpid()) -> None:
    if os.getpid() == owner:  # a forked child ends, too, and its parent's servers are none of its business
        for server in tuple(_RUNNING):
            server.kill()
        for folder in _TEMPORARY:
            shutil.rmtree(folder, ignore_errors=True)


atexit.register(_end_all)
