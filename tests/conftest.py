"""Airflow for all tests: a home of its own, its environment set before anything imports Airflow.

Airflow reads its environment once, at import, so this file sets it while pytest collects; nothing outside the home is touched, and
the home goes with the session.
"""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

assert "airflow" not in sys.modules, "something imported Airflow before its environment was set"

HOME = Path(tempfile.mkdtemp(prefix="lupus-airflow-"))
_OWNER = os.getpid()


@atexit.register
def _remove_home() -> None:
    if os.getpid() == _OWNER:  # a forked child ends, too, and must not take the home along
        shutil.rmtree(HOME, ignore_errors=True)


(HOME / "dags").mkdir()
for _name in [name for name in os.environ if name.startswith("AIRFLOW")]:
    del os.environ[_name]
os.environ.update(
    AIRFLOW_HOME=str(HOME),
    AIRFLOW__API_AUTH__JWT_SECRET=secrets.token_hex(64),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__UNIT_TEST_MODE="True",
    AIRFLOW__CORE__DAGS_FOLDER=str(HOME / "dags"),
    AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS="admin:admin",
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{HOME}/airflow.db",
    AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH=str(HOME / "bundles"),
    AIRFLOW__LOGGING__BASE_LOG_FOLDER=str(HOME / "logs"),
    AIRFLOW__USAGE_DATA_COLLECTION__ENABLED="False",
)
sys.path.append(str(Path(__file__).parent))

from servers_fixtures import (  # noqa: E402
    elasticsearch_server,  # noqa: F401
    hive_server,  # noqa: F401
    postgres_database,  # noqa: F401
    postgres_server,  # noqa: F401
    s3_server,  # noqa: F401
    spark_thrift_server,  # noqa: F401
)


@pytest.fixture(scope="session")
def root() -> Path:
    """Folder of the project."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def airflow_home() -> Path:
    return HOME


@pytest.fixture(scope="session")
def airflow_db() -> None:
    """Airflow's own database, made once."""
    from airflow.utils import db

    db.initdb()
