"""Airflow's real api-server with our app inside, in this process, and callers with different permissions.

Only one door is faked: SimpleAuthManager has no rights by DAG, so its answer to "which DAGs may this user read" is made here.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("catalogue", HERE / "catalogue.py")
assert _spec is not None
assert _spec.loader is not None
catalogue_module = importlib.util.module_from_spec(_spec)
sys.modules["catalogue"] = catalogue_module
_spec.loader.exec_module(catalogue_module)

DAGS = ("lupus.alpha.orders", "lupus.alpha.users", "lupus.beta.sales", "other")
READABLE = {
    "ana": {"lupus.alpha.orders", "lupus.alpha.users", "other"},
    "half": {"lupus.alpha.orders", "other"},
    "all": set(DAGS),
    "none": set(),
}
PREFIX = "/lupus/api/v1"
CHUNK = "c/Page-Ab3_x-9Z.js"


class Caller:
    """Somebody who asks the API with a token."""

    def __init__(self, client: Any, token: str | None) -> None:
        self.client, self.headers = client, {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str, *, headers: dict[str, str] | None = None, **params: Any) -> Any:
        self.client.cookies.clear()
        return self.client.get(PREFIX + path, params=params, headers={**self.headers, **(headers or {})})

    def post(self, path: str, body: Any = None, *, headers: dict[str, str] | None = None, **kwargs: Any) -> Any:
        self.client.cookies.clear()
        kwargs = kwargs or {"json": body}
        return self.client.post(PREFIX + path, headers={**self.headers, "X-Lupus": "1", **(headers or {})}, **kwargs)


@pytest.fixture(scope="session")
def catalogue() -> Any:
    return catalogue_module


@pytest.fixture(scope="session")
def index_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    from lupus_provider.stores import open_index

    url = f"sqlite:///{tmp_path_factory.mktemp('index')}/index.db"
    catalogue_module.fill(open_index(url))
    return url


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built page in small."""
    folder = tmp_path_factory.mktemp("page") / "dist"
    (folder / "c").mkdir(parents=True)
    (folder.parent / "secret.txt").write_text("outside")
    (folder / "main.js").write_text("import('./c/Page-Ab3_x-9Z.js')")
    (folder / CHUNK).write_text("// chunk")
    (folder / "date-polyfill.js").write_text("// not hashed")
    return folder


@pytest.fixture(scope="session")
def lupus_app(dist: Path) -> Any:
    from lupus_provider.server.app import create_app

    return create_app(dist)


@pytest.fixture(scope="session")
def client(airflow_db: None, lupus_app: Any) -> Iterator[Any]:
    from airflow import plugins_manager
    from airflow.api_fastapi.app import create_app
    from airflow.models.dag import DagModel
    from airflow.models.dagbundle import DagBundleModel
    from airflow.utils.session import create_session
    from fastapi.testclient import TestClient

    with create_session() as session:
        session.merge(DagBundleModel(name="lupus-tests"))
        session.flush()
        for dag_id in DAGS:
            session.merge(DagModel(dag_id=dag_id, bundle_name="lupus-tests", is_stale=False))
    with pytest.MonkeyPatch.context() as patch:
        ours = [{"app": lupus_app, "url_prefix": "/lupus", "name": "Lupus"}]
        patch.setattr(plugins_manager, "get_fastapi_plugins", lambda: (ours, []))
        app = create_app(apps="core")
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


@pytest.fixture(autouse=True)
def _doors(monkeypatch: pytest.MonkeyPatch, index_url: str) -> None:
    from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

    def readable(_self: Any, *, user: Any, method: str, session: Any) -> set[str]:
        assert method == "GET"
        return set(READABLE[user.username])

    monkeypatch.setattr(SimpleAuthManager, "get_authorized_dag_ids", readable)
    monkeypatch.setenv("AIRFLOW_CONN_LUPUS_INDEX", json.dumps({"conn_type": "lupus", "host": index_url}))
    monkeypatch.setenv("AIRFLOW__LUPUS__PROJECTS_FOLDER", str(HERE / "projects"))


@pytest.fixture
def token(client: Any) -> Callable[..., str]:
    """Make a token of a user: `token("ana", expiration_time_in_seconds=60)`."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    def make(name: str, role: str | None = "viewer", **kwargs: Any) -> str:
        return get_auth_manager().generate_jwt(SimpleAuthManagerUser(username=name, role=role), **kwargs)

    return make


@pytest.fixture
def caller(client: Any, token: Callable[..., str]) -> Callable[..., Caller]:
    """Ask as somebody: `caller("ana").get("/me")`; `caller(None)` is nobody."""
    return lambda name: Caller(client, token(name) if name else None)


@pytest.fixture
def ana(caller: Callable[..., Caller]) -> Caller:
    """She may read everything of `alpha`, and nothing of `beta`."""
    return caller("ana")
