"""A DAG bundle that is a folder of project files: it keeps one stub a project, so that errors and changes stay the project's own.

Set it with `[dag_processor] dag_bundle_config_list`. Laws: no reader ever sees half a stub; a task start never removes one; a
projects folder that is away removes none (tests/unit/dag_factory/test_bundle.py).
"""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path
from typing import Any

from airflow.dag_processing.bundles.base import BaseDagBundle

# The DAG processor forks a process for each file: what is imported here, before the fork, costs nothing there.
from lupus_provider.config.folder import project_files, warm_claims
from lupus_provider.dag_factory.loading import find_projects_folder
from lupus_provider.dag_factory.stub import stub_name, sync_stubs, write_stub
from lupus_provider.hooks.settings import airflow_home

log = logging.getLogger(__name__)
_FORMAT = 1
"""Part of the folder's name: a release that writes other stubs writes them elsewhere."""


class LupusDagBundle(BaseDagBundle):
    """Serve the DAGs of a folder of project files.

    Parameters
    ----------
    projects_folder
        Folder of project files; relative to Airflow's home. Without it: the option `projects_folder` of the section `lupus`.
    kwargs
        `name`, `refresh_interval` in seconds and the others of Airflow's bundles.

    Examples
    --------
    In `airflow.cfg`::

        [dag_processor]
        dag_bundle_config_list = [
            {
                "name": "lupus",
                "classpath": "lupus_provider.dag_factory.bundle.LupusDagBundle",
                "kwargs": {"projects_folder": "include/projects", "refresh_interval": 5},
            }
        ]
    """

    supports_versioning = False

    def __init__(self, *, projects_folder: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.projects = _folder(projects_folder)
        # Two Airflows of one machine share the storage of bundles, so the folder is part of the name.
        digest = hashlib.blake2b(os.fsencode(self.projects), digest_size=6).hexdigest()
        self._path = self.base_dir / f"stubs-{_FORMAT}-{digest}"
        self._ring_again: set[Path] = set()

    @property
    def path(self) -> Path:
        """Folder of the stubs."""
        return self._path

    def get_current_version(self) -> None:
        """Return nothing: project files have no versions here."""
        return

    def initialize(self) -> None:
        """Write the stubs that are missing; every task start comes here, so nothing is rewritten and nothing removed."""
        missing = [file for file in project_files(self.projects) if not (self._path / stub_name(file)).exists()]
        if missing or not self._path.is_dir():
            with self.lock():
                self._path.mkdir(parents=True, exist_ok=True)
                for file in missing:
                    write_stub(file, self._path)
        super().initialize()

    def refresh(self) -> None:
        """Make the stubs say what the projects folder says.

        Raises
        ------
        FileNotFoundError
            If the projects folder is not there; the stubs stay, because a mount that is away is no removal.
        """
        with self.lock():
            changed = sync_stubs(self.projects, self._path)
            # Every parse asks who has the right to a project's name; answered here once, the forked parsers know it.
            warm_claims(self.projects)
            for stub in self._ring_again.difference(changed.written, changed.removed):
                # A change that falls into the parse of the old text is older than the end of that parse, and Airflow would not
                # look again for minutes. So each change is rung twice, one refresh apart.
                if stub.exists():
                    os.utime(stub)
            self._ring_again = set(changed.written)
        if changed.written or changed.removed:
            log.info("%s: wrote %d stubs, removed %d", self._path, len(changed.written), len(changed.removed))


def _folder(projects: str | None) -> Path:
    return find_projects_folder() if projects is None else airflow_home() / Path(projects).expanduser()
