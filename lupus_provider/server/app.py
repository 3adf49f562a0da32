"""The FastAPI app that Airflow mounts at `/lupus`: API and the page's files.

Mounted apps do not get Airflow's state or error handlers, so both are installed here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from lupus_provider import __version__
from lupus_provider.server import problems
from lupus_provider.server.routes import anomalies, catalog, me, series
from lupus_provider.server.static import Page

API = "/api/v1"
DIST = Path(__file__).parents[1] / "ui" / "dist"


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    from airflow.api_fastapi.app import get_auth_manager

    app.state.auth_manager = get_auth_manager()  # Airflow's dependencies look for it in the mounted app
    yield


def create_app(dist: Path = DIST) -> FastAPI:
    """Return the app.

    Parameters
    ----------
    dist
        Folder of the built page; without it the API still answers.
    """
    app = FastAPI(title="Lupus", version=__version__, lifespan=_lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    problems.install(app)
    for route in (me, catalog, series, anomalies):
        app.include_router(route.router, prefix=API)
    if dist.is_dir():
        app.mount("/static", Page(directory=dist))
    return app
