"""Errors on the wire: one shape, made in one place."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from vagus.errors import BadInput, InternalError, StoreError, Unauthorized, Unavailable, VagusError

_log = logging.getLogger(__name__)


class Failure(BaseModel):
    """What went wrong: a sentence, and where there is one the field and its limit."""

    message: str
    field: str | None = None
    limit: str | None = None


class FailureBody(BaseModel):
    """The body of every answer that is not a success."""

    error: Failure


def answer_failures(app: FastAPI) -> None:
    """Give every error of the application the same JSON shape."""
    app.add_exception_handler(VagusError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unknown)


def _reply(status: int, failure: Failure, headers: dict[str, str] | None = None) -> JSONResponse:
    body = FailureBody(error=failure).model_dump()
    return JSONResponse(body, status, headers={"Cache-Control": "no-store", **(headers or {})})


def _known(request: Request, error: Exception) -> JSONResponse:
    headers = {}
    failure = Failure(message=str(error))
    if isinstance(error, BadInput):
        failure = Failure(message=str(error), field=error.field, limit=error.limit)
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, StoreError):
        # What the engine said may quote our SQL and other people's data: it is for the log alone.
        _log.error("%s %s failed: %s", request.method, request.url.path, error)
        failure = Failure(message="the store could not answer; the log of the server says why")
    if isinstance(error, InternalError):
        failure = Failure(message=f"{error}; this is a bug in Vagus, please report it")
    status = error.status if isinstance(error, VagusError) else 500
    return _reply(status, failure, headers)


def _invalid(request: Request, error: Exception) -> JSONResponse:
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    first = problems[0] if problems else {"loc": (), "msg": "the request is not valid"}
    # The first part says where it stood (query, body); the rest names the field.
    field = ".".join(str(part) for part in first["loc"][1:])
    place = f"{field}: " if field else ""
    return _reply(400, Failure(message=f"{place}{first['msg']}", field=field or None))


def _http(request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    words = {404: "there is nothing at this address", 405: "this address takes another method"}
    detail = str(error.detail) if isinstance(error, HTTPException) else ""
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    return _reply(status, Failure(message=words.get(status, detail)), headers)


def _unknown(request: Request, error: Exception) -> JSONResponse:
    return _reply(500, Failure(message="something broke in Vagus; its log says what"))
