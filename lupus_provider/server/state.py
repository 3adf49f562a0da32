"""What routes ask: the index, the stage, and the project files. Opened on first use, so that building the app costs nothing."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated

from fastapi import Depends

from lupus_provider.config import Project, load_project
from lupus_provider.config.folder import files_of
from lupus_provider.errors import LupusError
from lupus_provider.hooks import settings
from lupus_provider.hooks.stores import LupusHook
from lupus_provider.stores import open_index, open_stage
from lupus_provider.stores.index.base import IndexStore
from lupus_provider.stores.stage.base import StageStore


@lru_cache(maxsize=4)
def _opened(url: str) -> IndexStore:
    return open_index(url)


def index_store() -> IndexStore:
    """Return the index that the connection `lupus_index` names; the embedded one without it."""
    return _opened(LupusHook().url("index"))


@lru_cache(maxsize=4)
def _opened_stage(url: str) -> StageStore:
    return open_stage(url, LupusHook().access("stage"))


def stage_store() -> StageStore:
    """Return the stage that the connection `lupus_stage` names; the embedded one without it."""
    return _opened_stage(LupusHook().url("stage"))


@lru_cache(maxsize=512)
def _loaded(path: str, _mtime_ns: int) -> Project | None:
    try:
        return load_project(Path(path))
    except LupusError:  # it shows as that project's import error; the page lives without its owner and detectors
        return None


def find_project(name: str) -> Project | None:
    """Return a project's configuration as its file says now; None if the file or its folder is gone, or broken."""
    try:
        found = [(str(path), path.stat().st_mtime_ns) for path in files_of(settings.projects_folder(), name)[:1]]
    except FileNotFoundError:  # the page lives without them, as above
        return None
    return _loaded(*found[0]) if found else None


Index = Annotated[IndexStore, Depends(index_store)]
Stage = Annotated[StageStore, Depends(stage_store)]
