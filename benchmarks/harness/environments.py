"""Environments of competitors whose packages clash with the project's: made once, in a cache folder, from pinned versions."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).parents[1] / "peers" / "requirements"


class EnvironmentFailedError(Exception):
    """A competitor cannot be installed here; its rows say so."""


def cache_folder() -> Path:
    """Return where environments and tables are kept between runs: `LUPUS_CACHE`, else `~/.cache/lupus`."""
    return Path(os.environ.get("LUPUS_CACHE") or Path.home() / ".cache" / "lupus") / "benchmarks"


def python_of(environment: str | None) -> Path:
    """Return the interpreter of an environment; None is the project's own. Installs it where it is missing.

    Raises
    ------
    EnvironmentFailedError
        If the installer fails; the last lines of what it said are in the message.
    """
    if environment is None:
        return Path(sys.executable)
    pins = REQUIREMENTS / f"{environment}.txt"
    version = hashlib.sha256(pins.read_bytes()).hexdigest()[:8]
    folder = cache_folder() / environment / f"venv-{version}"
    python = folder / "bin" / "python"
    if not (folder / ".done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
        if uv is None:
            _run([sys.executable, "-m", "venv", str(folder)])
            _run([str(python), "-m", "pip", "install", "--quiet", "-r", str(pins)])
        else:
            _run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)])
            _run([uv, "pip", "install", "--quiet", "--python", str(python), "-r", str(pins)])
        (folder / ".done").touch()
    return python


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1_800)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise EnvironmentFailedError(" ".join(lines[-3:])[:300] or f"exit code {done.returncode}")
