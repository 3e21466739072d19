"""No request to the API may be larger than a bound, known beforehand or not."""

from __future__ import annotations

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vagus.present.api.failure import Failure, FailureBody

MAX_BYTES = 16 * 1024**2


class BodyLimit:
    """Refuses large bodies before and while they are read.

    A body is read before its sender is known, so without this anybody could fill the memory.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with its body counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = Headers(scope=scope).get("content-length", "0")
        if not told.isdigit() or int(told) > MAX_BYTES:
            failure = Failure(message="the request is too large", limit=f"{MAX_BYTES} bytes")
            answer = JSONResponse(FailureBody(error=failure).model_dump(), 413)
            await answer(scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > MAX_BYTES:
                raise HTTPException(413, f"the request is larger than {MAX_BYTES} bytes")
            return message

        await self._app(scope, counted, send)
