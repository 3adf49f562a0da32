"""Runs all tests in two processes side by side, because many of them wait for servers while others compute.

Which module goes where follows from the seconds that modules took (test_seconds.json): those that share heavy servers stay together, those
that use the loaded demo, too, and the rest fills up the shorter side. The first process shows its progress as it goes; what the second has to
say comes after it, whole.

Examples
--------
    python scripts/run_tests.py --durations=20     options go to both
    python scripts/run_tests.py --record           write test_seconds.json anew
    python scripts/run_tests.py --show             say what would run where
"""

# ruff: noqa: INP001, T201  (a script, and it talks)

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parents[1]
SECONDS = ROOT / "scripts" / "test_seconds.json"
FOLDERS = (
    "tests/contract", "tests/fault", "tests/integration", "tests/browser", "tests/dags", "tests/house", "tests/property", "tests/unit",
)  # fmt: skip
_SERVERS = re.compile(r"\b(elasticsearch|hive|spark_thrift|postgres)_server\b")
# One demo is loaded for both, and the browser comes last: it clicks.
_DEMO = ("tests/integration/test_demo.py", "tests/integration/test_killed_tasks.py", "tests/browser/test_discover.py")
_NEW = 1.0
"""Seconds that a module gets which nobody has measured."""


def shards(seconds: dict[str, float]) -> tuple[list[str], list[str]]:
    """Return the modules of both processes.

    Parameters
    ----------
    seconds
        Module → how long it took.
    """
    every = sorted(str(path.relative_to(ROOT)) for folder in FOLDERS for path in (ROOT / folder).rglob("test_*.py"))
    first = [name for name in every if name not in _DEMO and _SERVERS.search((ROOT / name).read_text(encoding="utf-8"))]
    second = [name for name in _DEMO if name in every]
    took = Counter({name: seconds.get(name, _NEW) for name in every})
    sums = [sum(took[name] for name in side) for side in (first, second)]
    placed = {*first, *second}
    for name, longest in took.most_common():
        if name not in placed:
            side = sums.index(min(sums))
            (first, second)[side].append(name)
            sums[side] += longest
    # Neighbours share fixtures of their folder, so they stand together; the demo's modules keep their order.
    return sorted(first), [*second[: len(_DEMO)], *sorted(second[len(_DEMO) :])]


def main(options: list[str]) -> int:
    """Run the shards; return the worst status."""
    seconds: dict[str, float] = json.loads(SECONDS.read_text(encoding="utf-8")) if SECONDS.exists() else {}
    sides = shards(seconds)
    if "--show" in options:
        for side in sides:
            print(f"{sum(seconds.get(name, _NEW) for name in side):.0f} s in {len(side)} modules: {' '.join(side)}\n")
        return 0
    is_recorded = "--record" in options
    options = [option for option in options if option != "--record"]
    started = time.monotonic()
    with tempfile.TemporaryFile() as told, tempfile.TemporaryDirectory() as folder:
        reports = [Path(folder) / f"{number}.xml" for number in range(2)]
        commands = [_command(side, options, report, is_recorded) for side, report in zip(sides, reports, strict=True)]
        second = subprocess.Popen(commands[1], stdout=told, stderr=subprocess.STDOUT, cwd=ROOT)  # noqa: S603
        try:
            first = subprocess.run(commands[0], check=False, cwd=ROOT).returncode  # noqa: S603
            print(f"the first half took {time.monotonic() - started:.0f} s; waiting for the second …", flush=True)
            status = second.wait()
        except BaseException:
            second.kill()
            raise
        told.seek(0)
        sys.stdout.buffer.write(told.read())
        sys.stdout.flush()
        if is_recorded:
            record(reports)
    print(f"both took {time.monotonic() - started:.0f} s")
    return max(first, status, key=abs)


def record(reports: list[Path]) -> None:
    """Write how long the modules took, as pytest's reports say; modules of less than two seconds are not worth a line."""
    took: Counter[str] = Counter()
    for report in reports:
        for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314  (written by pytest a moment ago)
            parts = case.attrib["classname"].split(".")
            while parts and not (ROOT / Path(*parts).with_suffix(".py")).is_file():
                parts.pop()
            if parts:
                took[str(Path(*parts).with_suffix(".py"))] += float(case.attrib["time"])
    rounded = {name: round(seconds) for name, seconds in sorted(took.items()) if seconds >= 2}
    SECONDS.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")


def _command(modules: list[str], options: list[str], report: Path, is_recorded: bool) -> list[str]:
    written = [f"--junitxml={report}"] if is_recorded else []
    return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *written, *options, *modules]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
