"""Who asks, and what they may see."""

from __future__ import annotations

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter

from lupus_provider import __version__, clock
from lupus_provider.server.access import Projects
from lupus_provider.wire import Me, User

router = APIRouter()


@router.get("/me")
def me(user: GetUserDep, projects: Projects) -> Me:
    """Return the page's bootstrap."""
    return Me(
        user=User(id=str(user.get_id()), name=user.get_name()), projects=sorted(projects), version=__version__,
        server_time=int(clock.utc_now().timestamp()),
    )  # fmt: skip
