"""The web UI: the built bundle, served with headers that let nothing else run."""

from __future__ import annotations

import gzip
import mimetypes
from functools import lru_cache
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

BUNDLE = Path(__file__).parent.parent / "static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self'"
)
_FOR_EVER = "public, max-age=31536000, immutable"
_SECURITY = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_SMALL_BYTES = 1024
_MISSING = """\
The web UI is not part of this installation.

The API works as usual under /api/v1. To build the UI from a checkout, install again without
VAGUS_UI=skip:

    pip install -e '.[server]'
"""


def web_ui(bundle: Path = BUNDLE) -> ASGIApp:
    """The application of the UI: files of `bundle`, and its index for every other address."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        response = _answer(bundle, scope)
        response.headers.update(_SECURITY)
        await response(scope, receive, send)

    return serve


def _answer(bundle: Path, scope: Scope) -> Response:
    if scope["method"] not in ("GET", "HEAD"):
        return PlainTextResponse("only GET\n", 405, {"allow": "GET, HEAD"})
    can_gzip = "gzip" in Headers(scope=scope).get("accept-encoding", "")
    name = _relative(scope)
    if name.startswith("assets/") or name == "favicon.svg":
        return _file(bundle, name, can_gzip=can_gzip)
    return _index(bundle, can_gzip=can_gzip)


def _relative(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "")).lstrip("/")


def _index(bundle: Path, *, can_gzip: bool) -> Response:
    page = bundle / "index.html"
    if not page.is_file():
        return PlainTextResponse(_MISSING, 503, {"cache-control": "no-store"})
    # The names of assets change with their content; only the page that names them is asked again.
    return _respond(page, "text/html; charset=utf-8", "no-cache", can_gzip=can_gzip)


def _file(bundle: Path, name: str, *, can_gzip: bool) -> Response:
    path = (bundle / name).resolve()
    if not path.is_relative_to(bundle.resolve()) or not path.is_file():
        return PlainTextResponse("there is no such file\n", 404, {"cache-control": "no-store"})
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    keep = _FOR_EVER if name.startswith("assets/") else "public, max-age=3600"
    return _respond(path, kind, keep, can_gzip=can_gzip)


def _respond(path: Path, kind: str, keep: str, *, can_gzip: bool) -> Response:
    headers = {"content-type": kind, "cache-control": keep, "vary": "accept-encoding"}
    stat = path.stat()
    body, packed = _read(path, stat.st_mtime_ns, stat.st_size)
    if can_gzip and packed is not None:
        return Response(packed, headers=headers | {"content-encoding": "gzip"})
    return Response(body, headers=headers)


@lru_cache(maxsize=64)
def _read(path: Path, modified_ns: int, size: int) -> tuple[bytes, bytes | None]:
    """A file and its packed form; the time and size in the key notice a new build."""
    body = path.read_bytes()
    return body, gzip.compress(body, 9, mtime=0) if size > _SMALL_BYTES else None
