"""Options of Airflow's `[lupus]` section: where projects, data and the embedded stores are.

Read when asked, not at import, so that a test or a changed environment is seen at once.
"""

from __future__ import annotations

import os
from pathlib import Path

SECTION = "lupus"


def _option(name: str) -> Path | None:
    from airflow.sdk.configuration import conf

    text = conf.get(SECTION, name, fallback="")
    return Path(os.path.expandvars(text)).expanduser().absolute() if text else None


def airflow_home() -> Path:
    """Return Airflow's own home folder."""
    return Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser().absolute()


def home() -> Path:
    """Return the folder of the embedded stores; `lupus` in Airflow's home unless `[lupus] home` says otherwise."""
    return _option("home") or airflow_home() / "lupus"


def data_folder() -> Path:
    """Return the folder that relative source paths of project files start from; the embedded home's `data` by default."""
    return _option("data_folder") or home() / "data"


def projects_folder() -> Path:
    """Return the folder of project files; `include/projects` in Airflow's home by default."""
    return _option("projects_folder") or airflow_home() / "include" / "projects"
