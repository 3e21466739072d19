"""The door for rivals' protocols: reads a request, has it translated, stores it, answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from starlette.datastructures import QueryParams
from starlette.routing import Route as Path
from starlette.types import Receive, Scope, Send

from vagus.errors import VagusError
from vagus.receive import metrics
from vagus.receive.body import BODY_TIMEOUT_S, Gone, error_headers, read_body
from vagus.receive.dialects.base import Answer, Call, Notes, Route, refusal
from vagus.receive.inflate import inflate
from vagus.receive.receiver import Receiver, count_refusal

_SIGNAL = "dialect"
_INLINE_BYTES = 32 * 1024

#: The notes of a project.
NotesOf = Callable[[str], Notes]


def dialect_routes(
    receiver: Receiver,
    notes_of: NotesOf,
    routes: Sequence[Route],
    *,
    body_timeout_s: float = BODY_TIMEOUT_S,
    now_ns: Callable[[], int] = time.time_ns,
) -> list[Path]:
    """The protocols' routes as Starlette's."""
    return [
        Path(
            route.path,
            _Door(receiver, notes_of, route, body_timeout_s, now_ns),
            methods=list(route.methods),
        )
        for route in routes
    ]


class _Door:
    """One route of a protocol, as a plain ASGI application."""

    def __init__(
        self,
        receiver: Receiver,
        notes_of: NotesOf,
        route: Route,
        body_timeout_s: float,
        now_ns: Callable[[], int],
    ) -> None:
        self._receiver = receiver
        self._notes_of = notes_of
        self._route = route
        self._body_timeout_s = body_timeout_s
        self._now_ns = now_ns

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope["headers"]
        }
        extra: list[tuple[bytes, bytes]] = []
        try:
            answer = await self._handle(scope, headers, receive)
        except Gone:
            metrics.REFUSED.labels("disconnected").inc()
            return
        except VagusError as e:
            count_refusal(e)
            refuse = self._route.refuse or refusal
            answer, extra = Answer(refuse(e), e.status), error_headers(e)
        metrics.REQUESTS.labels(_SIGNAL, str(answer.status)).inc()
        metrics.REJECTED.labels(_SIGNAL).inc(answer.rejected)
        await _send(send, answer, extra, with_body=scope["method"] != "HEAD")

    async def _handle(self, scope: Scope, headers: Mapping[str, str], receive: Receive) -> Answer:
        project = "" if self._route.is_open else self._receiver.project_of(headers)
        with self._receiver.budget.lease() as lease:
            body = await read_body(
                headers,
                receive,
                lease,
                limit=self._receiver.max_body_bytes,
                timeout_s=self._body_timeout_s,
            )
            answer = await self._translate(scope, headers, project, body)
            if project:
                identity = f"{scope['method']} {scope['path']}?{scope['query_string'].decode()}"
                await self._receiver.keep(project, identity, body, answer.telemetry)
        return answer

    async def _translate(
        self, scope: Scope, headers: Mapping[str, str], project: str, body: bytes
    ) -> Answer:
        def work() -> Answer:
            plain = inflate(
                body, headers.get("content-encoding", ""), self._receiver.max_body_bytes
            )
            call = Call(
                method=scope["method"],
                path=scope["path"],
                params=scope.get("path_params", {}),
                query=dict(QueryParams(scope["query_string"])),
                headers=headers,
                body=plain,
                now_ns=self._now_ns(),
                notes=self._notes_of(project),
            )
            return self._route.handle(call)

        if len(body) <= _INLINE_BYTES and not headers.get("content-encoding"):
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._receiver.workers, work)


async def _send(
    send: Send, answer: Answer, extra: Sequence[tuple[bytes, bytes]], *, with_body: bool
) -> None:
    body = answer.encoded()
    headers = [
        (b"content-type", answer.media_type.encode()),
        (b"content-length", str(len(body)).encode()),
        *((name.encode(), value.encode()) for name, value in answer.headers.items()),
        *extra,
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body if with_body else b""})
