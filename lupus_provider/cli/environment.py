"""The environment of the demo's Airflow: everything it differs in from a plain one, and why.

Nothing of the caller's own Airflow settings gets in, unless they ask for their connections of stores; nothing listens beyond this machine,
nothing is reported to anybody.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lupus_provider.cli.home import DemoHome

STORE_CONNECTIONS = "AIRFLOW_CONN_LUPUS_"
BUNDLE = "lupus_provider.dag_factory.bundle.LupusDagBundle"


def _bundles() -> str:
    return json.dumps([{"name": "lupus", "classpath": BUNDLE, "kwargs": {"refresh_interval": 2}}])


def _addresses(port: int) -> dict[str, str]:
    return {
        "API__HOST": "127.0.0.1",
        "API__PORT": str(port),
        "API__BASE_URL": f"http://127.0.0.1:{port}/",
        "API__WORKERS": "1",
        "CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        # The first request builds the execution API, which takes longer than the client's 5 s on a busy machine.
        "WORKERS__EXECUTION_API_TIMEOUT": "60",
    }


def _pace() -> dict[str, str]:
    """Return settings by which a changed project file shows within two seconds and a killed scheduler's tasks are taken over soon."""
    return {
        "CORE__PARALLELISM": "2",
        "CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "1",
        "DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "2",
        "DAG_PROCESSOR__REFRESH_INTERVAL": "2",
        "DAG_PROCESSOR__STALE_DAG_THRESHOLD": "5",
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "SCHEDULER__PARSING_CLEANUP_INTERVAL": "5",
        "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15",
        "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
    }


def airflow_environment(
    home: DemoHome, port: int, projects: Path, connections: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the environment of the demo's Airflow processes.

    Parameters
    ----------
    home
        The demo's folder.
    port
        Port of the api-server on 127.0.0.1.
    projects
        Folder of project files.
    connections
        Environment variables of the stores to use; none: the embedded ones.
    """
    secrets = home.credentials()
    settings = {
        "CORE__DAGS_FOLDER": str(home.airflow / "dags"),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__FERNET_KEY": secrets.fernet_key,
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{secrets.user}:ADMIN",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home.passwords),
        "API_AUTH__JWT_SECRET": secrets.jwt_secret,
        "API__SECRET_KEY": secrets.secret_key,
        "API__INSTANCE_NAME": "Lupus demo",
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home.airflow / 'airflow.db'}",
        "DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": _bundles(),
        "DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(home.airflow / "bundles"),
        "LOGGING__BASE_LOG_FOLDER": str(home.airflow / "logs"),
        # Airflow before 3.3 tells its makers about each start.
        "USAGE_DATA_COLLECTION__ENABLED": "False",
        "LUPUS__HOME": str(home.stores),
        "LUPUS__DATA_FOLDER": str(home.data),
        "LUPUS__PROJECTS_FOLDER": str(projects),
        **_addresses(port),
        **_pace(),
    }
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW__", "AIRFLOW_"))}
    own |= connections or {}
    return own | {"AIRFLOW_HOME": str(home.airflow)} | {f"AIRFLOW__{name}": value for name, value in settings.items()}


def store_connections(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the connections of stores in an environment, and those that they name: all variables `AIRFLOW_CONN_LUPUS_…`."""
    return {name: value for name, value in sorted(environ.items()) if name.startswith(STORE_CONNECTIONS)}


def store_addresses(environ: Mapping[str, str]) -> list[str]:
    """Return the addresses of the stores in an environment, without what they are opened with."""
    return [str(json.loads(v).get("host")) for v in store_connections(environ).values() if v.startswith("{")]
