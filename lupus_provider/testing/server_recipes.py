"""Finds the project's recipes for real servers, and has them fetch or build once what they run.

The recipes are no part of the package: only tests need them, and they fetch programs that nobody should get by installing Lupus.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lupus_provider.engines.java import Java, JavaMissingError, find_java
from lupus_provider.errors import Terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER_VARIABLE = "LUPUS_SERVERS"
INSTALL_SECONDS = 1800.0
"""Longest wait for a recipe to fetch and build: a cold MinIO takes three minutes on two idle cores, nine on busy ones."""
_TAIL = 4000


class RecipesMissingError(Terminal):
    """The recipes of the servers are not where they should be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(
            f"{folder} has no recipes for servers. They are in tests/servers of a checkout of Lupus; "
            f"name that folder: {FOLDER_VARIABLE}=/path/to/tests/servers"
        )


class RecipeFailedError(Terminal):
    """A recipe could not fetch or build its server."""

    def __init__(self, recipe: str, why: str, last: str) -> None:
        self.recipe, self.why, self.last = recipe, why, last
        super().__init__(f"{recipe} install {why}:\n{last}")


def recipe(name: str) -> Path:
    """Return the path of a recipe, such as `hive.sh`.

    Raises
    ------
    RecipesMissingError
        If neither the folder that the environment variable LUPUS_SERVERS names, else that of the checkout, has it.
    """
    named = os.environ.get(FOLDER_VARIABLE)
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "tests" / "servers"
    if not (folder / name).is_file():
        raise RecipesMissingError(folder)
    return (folder / name).resolve()


@functools.cache
def install_once(name: str, *environment: tuple[str, str]) -> None:
    """Let a recipe install in the first call of this process; the ones after it cost nothing, so that restarts are quick."""
    install(name, dict(environment))


def install(name: str, environment: Mapping[str, str], *arguments: str) -> None:
    """Let a recipe fetch and build what it runs, unless that is in the cache.

    Parameters
    ----------
    environment
        What it gets in addition to the variables of this process.
    arguments
        `install` by default.

    Raises
    ------
    RecipeFailedError
        With the end of what it printed.
    """
    command = ["bash", str(recipe(name)), *(arguments or ("install",))]
    try:
        done = subprocess.run(  # noqa: S603
            command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", timeout=INSTALL_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise RecipeFailedError(name, f"takes longer than {error.timeout:g} s", str(error.output)[-_TAIL:]) from error
    if done.returncode:
        raise RecipeFailedError(name, f"failed with {done.returncode}", done.stdout[-_TAIL:])


@functools.cache
def java_for(who: str, oldest: int, newest: int | None = None) -> Mapping[str, str]:
    """Return the variables that give a recipe its Java; installs Java 17 where it is wanted and missing and this may be done.

    Raises
    ------
    JavaMissingError
        If no Java of these releases is found.
    RecipeFailedError
        If Java 17 is missing and cannot be installed; it says what to do.
    """
    try:
        java = find_java(who=who, oldest=oldest, newest=newest)
    except JavaMissingError:
        if (oldest, newest) != (17, 17):
            raise
        install("java17.sh", {}, "now")
        java = find_java(who=who, oldest=oldest, newest=newest)
    return _variables(java)


def _variables(java: Java) -> dict[str, str]:
    return {"JAVA_HOME": str(java.home), "LUPUS_JAVA": str(java.home / "bin" / "java"), "LUPUS_PYTHON": sys.executable}
