"""Requests of rivals' protocols, handed straight to the route that takes them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from vagus.receive.dialects.base import Answer, Call, Route

NOW_NS = 1_764_000_000_000_000_000


class Pages:
    """Notes that are kept for one test."""

    def __init__(self) -> None:
        self._held: dict[str, str] = {}

    def get(self, key: str) -> str | None:
        """The text kept under a key."""
        return self._held.get(key)

    def put(self, key: str, value: str) -> None:
        """Keep a text under a key."""
        self._held[key] = value


def ask(routes: Iterable[Route], path: str, body: Any, **headers: str) -> Answer:
    """The answer to a POST; a body that is no bytes is sent as JSON."""
    route = next(r for r in routes if r.path == path and "POST" in r.methods)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return route.handle(Call("POST", path, {}, {}, named, data, NOW_NS, Pages()))


def spans_of(answer: Answer) -> list[Any]:
    """The spans that an answer's request became."""
    return [
        span
        for resource in answer.telemetry.traces.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def said(span: Any) -> dict[str, Any]:
    """The attributes of a span as plain values."""
    return {pair.key: _plain(pair.value) for pair in span.attributes}


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(item) for item in value.array_value.values]
    return getattr(value, kind) if kind else None
