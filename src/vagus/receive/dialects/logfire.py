"""Logfire's question about its token; its spans are OTLP."""

from __future__ import annotations

from vagus.receive.dialects.base import Answer, Call, Route


def _info(call: Call) -> Answer:
    """The door has checked the token; the project's page is the server's own."""
    host = call.headers.get("host", "localhost")
    return Answer({"project_name": "vagus", "project_url": f"http://{host}/"})


ROUTES = (Route("/v1/info", _info, ("GET",)),)
