from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

# A leader that does not stop on SIGTERM, whose child is in a session of its own, as Airflow's tasks are; it tells both pids.
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
open(sys.argv[1], "w").write(f"{os.getpid()} {child.pid}")
time.sleep(600)
"""
POLITE = "import sys, time; open(sys.argv[1], 'w').write('0 0'); time.sleep(600)"
DYING = "import sys; sys.exit(7)"


@pytest.fixture
def supervised(tmp_path):
    started = []

    def start(*codes: str, grace: float = 0.2):
        script = f"import lupus_provider.cli.supervisor as s; s.GRACE_SECONDS = {grace}; s.end_descendants.__defaults__ = ({grace},); "
        command = [sys.executable, "-c", script + "import sys; sys.exit(s.main())"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        started.append(process)
        components = [
            {
                "name": f"c{i}",
                "argv": [sys.executable, "-c", code, str(tmp_path / f"pids{i}")],
                "log": str(tmp_path / f"log{i}"),
            }
            for i, code in enumerate(codes)
        ]
        process.stdin.write(json.dumps({"env": dict(os.environ), "components": components}).encode() + b"\n")
        process.stdin.flush()
        return process

    yield start
    for process in started:
        process.stdin.close()
        process.stdout.close()
        process.wait()


def pids(path) -> list[int]:
    while not path.exists() or len(path.read_text().split()) != 2:
        time.sleep(0.02)
    return [int(pid) for pid in path.read_text().split()]


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_closed_pipe_ends_everything_also_what_left_the_group(supervised, tmp_path):
    process = supervised(STUBBORN)
    leader, child = pids(tmp_path / "pids0")
    assert alive(leader)
    assert alive(child)
    process.stdin.close()
    assert process.wait() == 0
    assert not alive(leader)
    assert not alive(child)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_everything(supervised, tmp_path, number):
    process = supervised(STUBBORN)
    leader, child = pids(tmp_path / "pids0")
    process.send_signal(number)
    assert process.wait() == 0
    assert not alive(leader)
    assert not alive(child)


def test_one_that_ends_on_its_own_ends_all_and_is_named(supervised, tmp_path):
    process = supervised(POLITE, DYING)
    assert process.wait() == 1
    assert json.loads(process.stdout.read()) == {"name": "c1", "code": 7}


def test_the_polite_are_not_killed(supervised, tmp_path):
    process = supervised(
        "import signal, sys, time\n"
        "def stop(*_):\n    open(sys.argv[1] + '-said', 'w').write('bye'); sys.exit()\n"
        "signal.signal(signal.SIGTERM, stop); open(sys.argv[1], 'w').write('0 0'); time.sleep(600)",
        grace=60,
    )
    pids(tmp_path / "pids0")
    process.stdin.close()
    assert process.wait() == 0
    assert (tmp_path / "pids0-said").read_text() == "bye"


def test_the_supervisors_own_death_stops_the_leaders(supervised, tmp_path):
    process = supervised(POLITE.replace("'0 0'", "f'{__import__(\"os\").getpid()} 0'"))
    leader, _ = pids(tmp_path / "pids0")
    process.kill()
    process.wait()
    while alive(leader):
        time.sleep(0.02)


def test_output_goes_to_the_components_log(supervised, tmp_path):
    process = supervised("print('said')")
    process.wait()
    assert (tmp_path / "log0").read_text() == "said\n"
