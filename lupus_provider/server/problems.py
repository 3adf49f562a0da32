"""Errors as answers: the form of RFC 9457, the sentence of the error itself."""

from __future__ import annotations

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from lupus_provider.errors import LupusError, Transient
from lupus_provider.wire import Problem

log = logging.getLogger(__name__)

AWAY = "The database did not answer. Try again in a moment; if it stays so, the server's log says why."
UNEXPECTED = "Something went wrong in the server. Its log has the details."
RETRY_SECONDS = "5"


def _answer(status: int, kind: str, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    problem = Problem(type=kind, title=HTTPStatus(status).phrase, status=status, detail=detail)
    headers = ({"Retry-After": RETRY_SECONDS} if status == 503 else {}) | (headers or {})
    return JSONResponse(problem.model_dump(), status, headers, media_type="application/problem+json")


def _http(_request: Request, err: Exception) -> JSONResponse:
    assert isinstance(err, HTTPException)
    return _answer(err.status_code, "http", str(err.detail), dict(err.headers or {}))


def _invalid(_request: Request, err: Exception) -> JSONResponse:
    assert isinstance(err, RequestValidationError)
    wrong = "; ".join(f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in err.errors()[:5])
    return _answer(422, "RequestValidationError", wrong)


def _lupus(request: Request, err: Exception) -> JSONResponse:
    log.error("%s %s failed: %s", request.method, request.url.path, err)
    return _answer(503 if isinstance(err, Transient) else 500, type(err).__name__, str(err))


def _away(request: Request, err: Exception) -> JSONResponse:
    log.error("%s %s failed", request.method, request.url.path, exc_info=err)
    return _answer(503, "DatabaseAway", AWAY)


def _unexpected(request: Request, err: Exception) -> JSONResponse:
    log.error("%s %s failed", request.method, request.url.path, exc_info=err)
    return _answer(500, "unexpected", UNEXPECTED)


def install(app: FastAPI) -> None:
    """Make every error of the app an answer in one form; Airflow's own handlers do not reach a mounted app."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(LupusError, _lupus)
    for away in (OperationalError, InterfaceError, PoolTimeoutError):
        app.add_exception_handler(away, _away)
    app.add_exception_handler(Exception, _unexpected)
