"""The server: a platform behind its HTTP and gRPC ports."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from vagus.config import Loaded, ServerSettings
from vagus.errors import ConfigError, VagusError
from vagus.platform import Platform, write_ready_file
from vagus.present.api.build import build_api
from vagus.present.web import web_ui
from vagus.receive.dialects.all import ROUTES
from vagus.receive.dialects.door import dialect_routes
from vagus.receive.otlp_grpc import start_grpc
from vagus.receive.otlp_http import routes

log = logging.getLogger(__name__)

_API_PATHS = ("/api/", "/jaeger/", "/healthz", "/readyz", "/metrics", "/sign-in", "/mcp")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a running server is reached; the keys are shown once."""

    url: str
    grpc: str
    sign_in_url: str
    ingest_key: str | None


def serve(
    loaded: Loaded,
    *,
    ready_file: Path | None = None,
    on_ready: Callable[[Address], None] | None = None,
) -> int:
    """Run until stopped; the exit status. Raises `VagusError` if it cannot start."""
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    sock = _listen(loaded.settings.server)
    server: uvicorn.Server | None = None
    fatal = threading.Event()

    def on_fatal(error: Exception) -> None:
        fatal.set()
        log.critical("stopping: %s", error)
        if server is not None:
            server.should_exit = True
        # The way out must not wait for a disk that no longer answers.
        threading.Timer(1.0, os._exit, (70,)).start()

    try:
        platform = Platform(loaded, on_fatal=on_fatal)
    except VagusError:
        sock.close()
        raise
    server = uvicorn.Server(_uvicorn_config(build_app(platform)))
    announce = on_ready or print_address
    platform.start()
    try:
        asyncio.run(_run(platform, server, sock, ready_file, announce))
    finally:
        platform.stop()
    return 70 if fatal.is_set() else 0


def build_app(platform: Platform) -> ASGIApp:
    """One application for every path: telemetry first, then the API, then the UI."""
    telemetry = routes(platform.receiver)
    dialects = dialect_routes(platform.receiver, platform.notes_of, ROUTES)
    ingest = Starlette(routes=[*telemetry, *dialects])
    api = build_api(platform.services())
    web = web_ui()
    paths = {route.path for route in telemetry}

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "lifespan" or path in paths or _is_dialect(scope, dialects):
            await ingest(scope, receive, send)
        elif path.startswith(_API_PATHS):
            await api(scope, receive, send)
        else:
            await web(scope, receive, send)

    return dispatch


def _is_dialect(scope: Scope, dialects: Sequence[Route]) -> bool:
    """Whether a request belongs to a rival's protocol; a browser opening a page never does."""
    if any(name == b"accept" and b"text/html" in value for name, value in scope["headers"]):
        return False
    return any(route.matches(scope)[0] is Match.FULL for route in dialects)


def _uvicorn_config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
        backlog=1024,
    )


def _listen(server: ServerSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    # asyncio switches Nagle's delay off only on sockets that say they are TCP; with the delay, an
    # answer whose head and body are written apart waits 40 ms for the client's acknowledgement.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((server.host, server.port))
    except OSError as e:
        sock.close()
        raise ConfigError(
            f"cannot listen on {server.host}:{server.port}: {e.strerror}; "
            "stop what is there or choose another port with --port"
        ) from e
    return sock


@contextlib.asynccontextmanager
async def _grpc(platform: Platform, server: ServerSettings) -> AsyncIterator[int]:
    try:
        grpc_server, port = await start_grpc(platform.receiver, server.host, server.grpc_port)
    except (RuntimeError, OSError) as e:
        raise ConfigError(
            f"cannot listen on {server.host}:{server.grpc_port} for OTLP/gRPC: "
            "stop what is there or choose another port with --grpc-port"
        ) from e
    try:
        yield port
    finally:
        await grpc_server.stop(grace=2.0)


async def _run(
    platform: Platform,
    server: uvicorn.Server,
    sock: socket.socket,
    ready_file: Path | None,
    announce: Callable[[Address], None],
) -> None:
    settings = platform.loaded.settings.server
    async with _grpc(platform, settings) as grpc_port:
        notifying = asyncio.create_task(platform.notifier.run())
        serving = asyncio.create_task(server.serve(sockets=[sock]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.02)
        if server.started:
            address = _address(platform, settings, sock.getsockname()[1], grpc_port)
            announce(address)
            if ready_file is not None:
                write_ready_file(
                    ready_file,
                    {
                        "url": address.url,
                        "sign_in_url": address.sign_in_url,
                        "ingest_key": address.ingest_key,
                        "grpc": address.grpc,
                        "pid": str(os.getpid()),
                    },
                )
        await serving
        notifying.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await notifying


def _address(platform: Platform, server: ServerSettings, port: int, grpc_port: int) -> Address:
    host = f"[{server.host}]" if ":" in server.host else server.host
    shown = "127.0.0.1" if server.host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
    url = server.public_url.rstrip("/") or f"http://{shown}:{port}"
    link = f"{url}/sign-in?token={platform.started.sign_in_token}" if server.auth else f"{url}/"
    return Address(url, f"{shown}:{grpc_port}", link, platform.started.ingest_key)


def print_address(address: Address) -> None:
    """What a person needs to go on, on standard output."""
    lines = [
        f"Vagus listens on {address.url} (OTLP/HTTP, API, UI) and {address.grpc} (OTLP/gRPC).",
        f"Sign in once: {address.sign_in_url}",
    ]
    if address.ingest_key:
        lines += [
            "Send telemetry with this key (shown only now; make others under Settings):",
            f"  OTEL_EXPORTER_OTLP_ENDPOINT={address.url}",
            f"  OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20{address.ingest_key}",
        ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
