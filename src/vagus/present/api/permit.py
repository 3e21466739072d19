"""Who may call a route: every route names its scope through `permit`, and nothing else lets in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated

from fastapi import Depends, Query, Request

from vagus.errors import Forbidden, NotFound, Unauthorized
from vagus.present.api.services import Services, services_of
from vagus.store.meta.access.access import DEFAULT_PROJECT, PROJECT_HEADER, cookie_name
from vagus.store.meta.access.origin import check_loopback_host, check_same_origin
from vagus.store.meta.access.principal import Principal

Check = Callable[..., Principal]


def permit(scope: str) -> Check:
    """The dependency that lets in who has `scope`, in the project that the request names."""

    def check(
        request: Request,
        project: Annotated[
            str, Query(description="The project; by default that of the key.", max_length=64)
        ] = "",
    ) -> Principal:
        principal = identify(request, project)
        principal.require(scope)
        return principal

    check.scope = scope  # type: ignore[attr-defined]  # read by the test of all routes
    return check


def permit_at_once(scope: str) -> Callable[..., Awaitable[Principal]]:
    """`permit` on the event loop itself, for routes that answer from memory within milliseconds.

    Handing over to a thread takes longer than the check: keys and sessions are remembered, and one
    that is not costs the loop a look into the metadata.
    """
    waiting = permit(scope)

    async def check(
        request: Request,
        project: Annotated[
            str, Query(description="The project; by default that of the key.", max_length=64)
        ] = "",
    ) -> Principal:
        return waiting(request, project)

    check.scope = scope  # type: ignore[attr-defined]  # read by the test of all routes
    return check


def identify(request: Request, project: str = "") -> Principal:
    """The principal of a request: by API key, else by session cookie, else nobody."""
    services = services_of(request)
    headers = request.headers
    scheme, _, credential = headers.get("authorization", "").partition(" ")
    if not services.access.auth:
        check_loopback_host(headers)
        if _is_browser(headers):
            check_same_origin(request.method, headers, services.public_url)
        return services.access.authenticate_session(None, project)
    if scheme.lower() == "bearer":
        return _by_key(services, credential.strip(), project)
    token = request.cookies.get(cookie_name(is_secure=is_secure(request, services)))
    if not token:
        raise Unauthorized("sign in, or send an API key as `Authorization: Bearer <key>`")
    principal = services.access.authenticate_session(token, project or DEFAULT_PROJECT)
    check_same_origin(request.method, headers, services.public_url)
    return principal


def _by_key(services: Services, key: str, project: str) -> Principal:
    headers = {PROJECT_HEADER: project} if project else {}
    try:
        return services.access.authenticate(key, headers)
    except Forbidden as e:
        # A foreign project and a missing one look the same from outside.
        raise NotFound(f"there is no project {project[:63]!r}", field="project") from e


def _is_browser(headers: Mapping[str, str]) -> bool:
    return "sec-fetch-site" in headers or "origin" in headers


def is_secure(request: Request, services: Services) -> bool:
    """Whether people reach us over TLS, here or at a proxy in front."""
    return request.url.scheme == "https" or services.public_url.startswith("https://")


CanSpeak = Annotated[Principal, Depends(permit("api"))]
CanRead = Annotated[Principal, Depends(permit("read"))]
CanReadAtOnce = Annotated[Principal, Depends(permit_at_once("read"))]
CanWrite = Annotated[Principal, Depends(permit("write"))]
CanScore = Annotated[Principal, Depends(permit("scores"))]
CanAdminister = Annotated[Principal, Depends(permit("admin"))]
Given = Annotated[Services, Depends(services_of)]
