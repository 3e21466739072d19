"""Signing in and out, and who one is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from vagus.present.api.base import Done, Model
from vagus.present.api.permit import CanSpeak, Given, is_secure
from vagus.store.meta.access.access import cookie_name, session_cookie
from vagus.store.meta.access.projects import list_projects

router = APIRouter(tags=["session"])


class Me(Model):
    """Who is asking, in which project, and which others there are."""

    user: str
    role: str
    credential: str
    scopes: list[str]
    project: str
    projects: list[str]
    version: str


def running_version() -> str:
    """The installed version of Vagus."""
    try:
        return version("vagus")
    except PackageNotFoundError:
        return "unpackaged"


@router.get("/sign-in", status_code=303, response_class=RedirectResponse)
def sign_in(
    request: Request, services: Given, token: Annotated[str, Query(max_length=200)]
) -> RedirectResponse:
    """Trade a one-time link for a session cookie and go to the first page."""
    session = services.access.people.sign_in(token, services.now_ms())
    answer = RedirectResponse("/", 303)
    secure = is_secure(request, services)
    answer.headers["Set-Cookie"] = session_cookie(session, is_secure=secure)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.post("/api/v1/sign-out")
def sign_out(request: Request, response: Response, services: Given, principal: CanSpeak) -> Done:
    """End the session of this browser."""
    secure = is_secure(request, services)
    token = request.cookies.get(cookie_name(is_secure=secure))
    if token:
        services.access.people.sign_out(token, services.now_ms())
    response.headers["Set-Cookie"] = session_cookie("", is_secure=secure)
    return Done()


@router.get("/api/v1/me")
def me(services: Given, principal: CanSpeak) -> Me:
    """Who one is here."""
    is_key = principal.credential == "key"
    projects = [project.id for project in list_projects(services.meta)]
    return Me(
        user=principal.user or principal.actor,
        role=principal.role or "key",
        credential=principal.credential,
        scopes=sorted(principal.scopes),
        project=principal.project,
        projects=[principal.project] if is_key else projects,
        version=running_version(),
    )
