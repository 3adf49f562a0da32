"""Runs all tests in two processes side by side, because many of them wait for servers while others compute.

The first shows its progress as it goes; what the second has to say comes after it, whole.

Examples
--------
    python scripts/run_tests.py --durations=20     options go to both
"""

# ruff: noqa: INP001, T201  (a script, and it talks)

from __future__ import annotations

import subprocess
import sys
import tempfile
import time

SHARDS = {
    "stores and servers": ["tests/contract", "tests/fault", "tests/integration"],
    "everything else": ["tests/browser", "tests/dags", "tests/house", "tests/property", "tests/unit"],
}


def main(options: list[str]) -> int:
    """Run the shards; return the worst status."""
    names = list(SHARDS)
    started = time.monotonic()
    with tempfile.TemporaryFile() as told:
        second = subprocess.Popen(_command(names[1], options), stdout=told, stderr=subprocess.STDOUT)  # noqa: S603
        try:
            first = subprocess.run(_command(names[0], options), check=False).returncode  # noqa: S603
            print(f"{names[0]} took {time.monotonic() - started:.0f} s; waiting for {names[1]} …", flush=True)
            status = second.wait()
        except BaseException:
            second.kill()
            raise
        told.seek(0)
        sys.stdout.buffer.write(told.read())
        sys.stdout.flush()
    print(f"both took {time.monotonic() - started:.0f} s")
    return max(first, status, key=abs)


def _command(name: str, options: list[str]) -> list[str]:
    return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, *SHARDS[name]]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
