"""The FastAPI app that Airflow mounts at `/lupus`: API and the page's files.

Mounted apps do not get Airflow's state or error handlers, so both are installed here. What every route must have, its caller's
login and the guard against other sites' forms, hangs on all of them here, so that a new route cannot forget it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import APIRouter, FastAPI

from lupus_provider import __version__
from lupus_provider.server import problems
from lupus_provider.server.access import LoggedIn, SameOrigin
from lupus_provider.server.caching import Revalidation
from lupus_provider.server.routes import anomalies, catalog, me, points, series
from lupus_provider.server.static import Page

API = "/api/v1"
DIST = Path(__file__).parents[1] / "ui" / "dist"


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    from airflow.api_fastapi.app import get_auth_manager

    app.state.auth_manager = get_auth_manager()  # Airflow's dependencies look for it in the mounted app
    yield


def create_app(dist: Path = DIST) -> FastAPI:
    """Return the app. Opens nothing: stores and project files are read when they are asked for.

    Parameters
    ----------
    dist
        Folder of the built page; without it the API still answers.
    """
    app = FastAPI(title="Lupus", version=__version__, lifespan=_lifespan, openapi_url=None)  # no login guards that one
    problems.install(app)
    app.add_middleware(Revalidation)
    api = APIRouter(prefix=API, dependencies=[LoggedIn, SameOrigin])
    for route in (me, catalog, series, anomalies, points):
        api.include_router(route.router)
    app.include_router(api)
    if dist.is_dir():
        app.mount("/static", Page(directory=dist))
    return app
