"""Every protocol that is spoken, and which requests belong to one of them."""

from __future__ import annotations

from vagus.receive.dialects import (
    agentops,
    bedrock,
    firehose,
    generic,
    helicone,
    logfire,
    mlflow,
    phoenix,
    shared,
)
from vagus.receive.dialects.base import Route
from vagus.receive.dialects.datadog import routes as datadog
from vagus.receive.dialects.langfuse import routes as langfuse
from vagus.receive.dialects.langsmith import routes as langsmith
from vagus.receive.dialects.opik import routes as opik
from vagus.receive.dialects.weave import routes as weave

#: Where two protocols use one path, the route that stands first answers both.
ROUTES: tuple[Route, ...] = (
    *shared.ROUTES,
    *generic.ROUTES,
    *langsmith.ROUTES,
    *datadog.ROUTES,
    *langfuse.ROUTES,
    *agentops.ROUTES,
    *logfire.ROUTES,
    *helicone.ROUTES,
    *bedrock.ROUTES,
    *opik.ROUTES,
    *mlflow.ROUTES,
    *phoenix.ROUTES,
    *weave.ROUTES,
    *firehose.ROUTES,
)
