"""Requests of a rival's protocol put to its routes, without a server."""

from __future__ import annotations

import base64
from pathlib import Path as File
from typing import Any

import msgspec
from starlette.datastructures import QueryParams
from starlette.routing import Match
from starlette.routing import Route as Path

from vagus.errors import VagusError
from vagus.receive.dialects.base import Answer, Call, Route
from vagus.receive.dialects.build import Telemetry
from vagus.receive.parse import check_request

NOW_NS = 1_790_000_000_000_000_000


class Remembered:
    """The notes of a project, in memory."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {}

    def get(self, key: str) -> str | None:
        """The text kept under a key."""
        return self.held.get(key)

    def put(self, key: str, value: str) -> None:
        """Keep a text under a key."""
        self.held[key] = value


class Door:
    """Asks the routes of one protocol, remembering notes from one request to the next."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self._routes = [(Path(r.path, _nobody, methods=list(r.methods)), r) for r in routes]
        self.notes = Remembered()

    def ask(
        self,
        method: str,
        url: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        now_ns: int = NOW_NS,
    ) -> Answer:
        """The answer to one request; `body` is sent as JSON unless it is bytes."""
        path, _, query = url.partition("?")
        scope = {"type": "http", "method": method, "path": path, "root_path": ""}
        for matcher, route in self._routes:
            match, child = matcher.matches(scope)
            if match is Match.FULL:
                data = body if isinstance(body, bytes) else msgspec.json.encode(body)
                call = Call(
                    method=method,
                    path=path,
                    params=child["path_params"],
                    query=dict(QueryParams(query)),
                    headers=headers or {},
                    body=b"" if body is None else data,
                    now_ns=now_ns,
                    notes=self.notes,
                )
                answer = route.handle(call)
                answer.encoded()
                return answer
        raise LookupError(f"nobody answers {method} {path}")


def spans_of(telemetry: Telemetry) -> list[dict[str, Any]]:
    """The spans as plain values, in the order in which they were added."""
    checked = check_request("traces", telemetry.traces.SerializeToString())
    assert checked.rejected == 0
    return [
        {
            "service": attributes_of(holder.resource.attributes).get("service.name"),
            "scope": group.scope.name,
            "trace_id": span.trace_id.hex(),
            "span_id": span.span_id.hex(),
            "parent": span.parent_span_id.hex(),
            "name": span.name,
            "start_ns": span.start_time_unix_nano,
            "end_ns": span.end_time_unix_nano,
            "status": span.status.code,
            "message": span.status.message,
            "attributes": attributes_of(span.attributes),
            "events": [(e.name, attributes_of(e.attributes)) for e in span.events],
        }
        for holder in telemetry.traces.resource_spans
        for group in holder.scope_spans
        for span in group.spans
    ]


def verdicts_of(telemetry: Telemetry) -> list[dict[str, Any]]:
    """The verdicts as plain values: the last word of each attribute's name, and the ids."""
    return [
        {
            "trace_id": record.trace_id.hex(),
            "span_id": record.span_id.hex(),
            **{
                key.removeprefix("gen_ai.evaluation.").removeprefix("vagus.score."): value
                for key, value in attributes_of(record.attributes).items()
            },
        }
        for holder in telemetry.logs.resource_logs
        for group in holder.scope_logs
        for record in group.log_records
    ]


def replay(routes: tuple[Route, ...], sample: File) -> tuple[list[Any], Telemetry]:
    """What a recorded session is answered, and all the telemetry that it means.

    A sample is a list of requests with the status that the client was given.
    """
    door, whole, answers = Door(routes), Telemetry(), []
    for asked in msgspec.json.decode(sample.read_bytes()):
        body = asked.get("body")
        if "body_base64" in asked:
            body = base64.b64decode(asked["body_base64"])
        try:
            answer = door.ask(
                asked["method"], asked["path"], body, headers=asked.get("headers", {})
            )
        except VagusError as e:
            if e.status != asked["status"]:
                raise
            continue
        assert answer.status == asked["status"], asked["path"]
        answers.append(answer.body)
        whole.traces.MergeFrom(answer.telemetry.traces)
        whole.logs.MergeFrom(answer.telemetry.logs)
    return answers, whole


def attributes_of(pairs: Any) -> dict[str, Any]:
    """OTLP attributes as plain values."""
    found: dict[str, Any] = {}
    for pair in pairs:
        kind = pair.value.WhichOneof("value")
        value = getattr(pair.value, kind) if kind else None
        if kind == "array_value":
            value = [getattr(v, v.WhichOneof("value")) for v in value.values]
        found[pair.key] = value
    return found


def _nobody() -> None:
    """Stands where Starlette wants an endpoint."""
