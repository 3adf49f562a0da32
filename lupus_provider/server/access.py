"""Who may see what: a caller sees a project if Airflow lets them read every DAG that the project has.

Not one DAG of it: series of a metric set that is hidden from somebody must not show through another one.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import GetUserDep, get_user
from airflow.models.dag import DagModel
from fastapi import Depends, Header, HTTPException, Request
from sqlalchemy import select

from lupus_provider.naming import split_dag_id


def permitted_projects(user: GetUserDep, session: SessionDep) -> frozenset[str]:
    """Return the projects that the caller may see; empty for a caller without any permission."""
    readable = get_auth_manager().get_authorized_dag_ids(user=user, method="GET", session=session)
    dags: dict[str, list[str]] = defaultdict(list)
    for dag_id in session.scalars(select(DagModel.dag_id).where(DagModel.dag_id.like("lupus.%"))):
        parts = split_dag_id(dag_id)
        if parts is not None:
            dags[parts[0]].append(dag_id)
    return frozenset(project for project, ids in dags.items() if readable.issuperset(ids))


def same_origin(request: Request, x_lupus: Annotated[str | None, Header()] = None) -> None:
    """Refuse changing requests that another site's form could send: those cannot set a header of ours."""
    if request.method not in ("GET", "HEAD", "OPTIONS") and x_lupus != "1":
        raise HTTPException(403, "header 'X-Lupus: 1' is missing; send it with every POST request")


Projects = Annotated[frozenset[str], Depends(permitted_projects)]
LoggedIn = Depends(get_user)
SameOrigin = Depends(same_origin)
