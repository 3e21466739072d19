"""The one address of the Model Context Protocol; a key opens it for its project, to read."""

from __future__ import annotations

import logging
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from vagus.errors import BadInput, StoreError, TooLarge, Unavailable
from vagus.present.api.permit import CanRead, Given
from vagus.present.api.session import running_version
from vagus.present.mcp.bounds import bound
from vagus.present.mcp.protocol import ToolError, answer
from vagus.present.mcp.tools import Tool

router = APIRouter(tags=["mcp"])

MAX_BYTES = 1024**2
_log = logging.getLogger(__name__)


async def message(request: Request) -> bytes:
    """The body, which is one JSON-RPC message."""
    body = await request.body()
    if len(body) > MAX_BYTES:
        raise TooLarge("the message is too large", field="body", limit=f"{MAX_BYTES} bytes")
    return body


@router.post("/mcp", response_model=dict[str, Any])
def ask(
    services: Given,
    principal: CanRead,
    request: Request,
    body: Annotated[bytes, Depends(message)],
) -> Response:
    """Answer one message of the Model Context Protocol."""

    def call(tool: Tool, arguments: Any) -> tuple[Any, list[str]]:
        try:
            return bound(tool.run(services, principal, arguments))
        except BadInput as e:
            limit = f" (limit: {e.limit})" if e.limit else ""
            raise ToolError(f"{e.field}: {e}{limit}" if e.field else f"{e}{limit}") from e
        except StoreError as e:
            # What the engine said may quote other people's data: it is for the log alone.
            _log.error("tool %s failed: %s", tool.name, e)
            raise ToolError("the store could not answer; try a shorter stretch of time") from e
        except Unavailable as e:
            raise ToolError(str(e)) from e

    reply = answer(body, request.headers, running_version(), call)
    if reply.body is None:
        return Response(status_code=reply.status)
    return Response(msgspec.json.encode(reply.body), reply.status, media_type="application/json")
