"""Every protocol that is spoken, and which requests belong to one of them."""

from __future__ import annotations

from vagus.receive.dialects import bedrock, firehose, generic, helicone, shared
from vagus.receive.dialects.base import Route
from vagus.receive.dialects.langfuse import routes as langfuse
from vagus.receive.dialects.langsmith import routes as langsmith

#: Where two protocols use one path, the route that stands first answers both.
ROUTES: tuple[Route, ...] = (
    *shared.ROUTES,
    *generic.ROUTES,
    *langsmith.ROUTES,
    *langfuse.ROUTES,
    *helicone.ROUTES,
    *bedrock.ROUTES,
    *firehose.ROUTES,
)
