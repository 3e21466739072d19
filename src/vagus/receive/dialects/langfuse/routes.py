"""Langfuse's paths: its batches and scores are kept, the questions its SDKs ask are answered."""

from __future__ import annotations

import hashlib
from typing import Any

from vagus.errors import BadInput, NotFound, VagusError
from vagus.receive.dialects.base import Answer, Call, Route
from vagus.receive.dialects.build import Telemetry, Verdict, time_ns
from vagus.receive.dialects.langfuse.observations import (
    Sender,
    Trace,
    add_observation,
    add_trace,
    merge,
)
from vagus.receive.dialects.langfuse.scores import read_score
from vagus.receive.dialects.shared import mapping, text

_TYPES = frozenset(
    (
        "span",
        "generation",
        "event",
        "agent",
        "tool",
        "chain",
        "retriever",
        "embedding",
        "evaluator",
        "guardrail",
        "observation",
    )
)
_PROJECT = {
    "id": "vagus",
    "name": "Vagus",
    "organization": {"id": "vagus", "name": "Vagus"},
    "metadata": {},
}
_NOTHING = {"data": [], "meta": {"page": 1, "limit": 50, "totalItems": 0, "totalPages": 0}}


class _Batch:
    """The events of one request; events about one object become one span."""

    def __init__(self, sender: Sender, now_ns: int) -> None:
        self.telemetry = Telemetry()
        self._sender = sender
        self._now_ns = now_ns
        self._traces: dict[str, Trace] = {}
        self._observations: dict[str, dict[str, Any]] = {}

    def add(self, event: Any) -> None:
        """Take one event; raises `BadInput` that names what is wrong with it."""
        body, kind = mapping(mapping(event).get("body")), text(mapping(event).get("type"))
        noun, _, verb = kind.rpartition("-")
        if kind == "sdk-log":
            return
        if kind == "score-create":
            body.setdefault("timestamp", event.get("timestamp"))
            self.telemetry.add_verdict(read_score(body, self._now_ns))
        elif kind == "trace-create":
            self._trace(body, time_ns(event.get("timestamp")) or self._now_ns)
        elif verb in ("create", "update") and noun in _TYPES:
            self._observation(noun, body)
        else:
            raise BadInput(f"no event has the type {kind[:60]!r}", field="type")

    def finish(self) -> Telemetry:
        """All spans."""
        for body in self._observations.values():
            add_observation(
                body, self._traces.get(text(body["traceId"])), self._sender, self.telemetry
            )
        for trace in self._traces.values():
            add_trace(trace, self._sender, self.telemetry)
        return self.telemetry

    def _trace(self, body: dict[str, Any], said_ns: int) -> None:
        native = text(body.get("id"))
        if not native:
            raise BadInput("a trace needs an id", field="id")
        trace = self._traces.setdefault(native, Trace())
        merge(trace.body, body)
        trace.last_ns = max(trace.last_ns, said_ns)

    def _observation(self, noun: str, body: dict[str, Any]) -> None:
        native, about = text(body.get("id")), text(body.get("traceId"))
        for name, said in (("id", native), ("traceId", about)):
            if not said:
                raise BadInput(f"an observation needs {name}", field=name)
        held = self._observations.setdefault(native, {})
        merge(held, body if noun == "observation" else {**body, "type": noun})
        if about in self._traces:
            ends = (time_ns(held.get(key)) for key in ("startTime", "endTime"))
            self._traces[about].last_ns = max(self._traces[about].last_ns, *ends)


def _ingestion(call: Call) -> Answer:
    body = call.json_object()
    events = body.get("batch")
    if not isinstance(events, list):
        raise BadInput("batch must be a list of events", field="batch")
    batch = _Batch(_sender(call, mapping(body.get("metadata"))), call.now_ns)
    successes: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for place, event in enumerate(events):
        event_id = text(mapping(event).get("id")) or str(place)
        try:
            batch.add(event)
        except (BadInput, RecursionError) as e:
            words = f"batch[{place}]: {e}"
            errors.append({"id": event_id, "status": 400, "message": words, "error": words})
        else:
            successes.append({"id": event_id, "status": 201})
    return Answer({"successes": successes, "errors": errors}, 207, telemetry=batch.finish())


def _sender(call: Call, metadata: dict[str, Any]) -> Sender:
    headers = call.headers
    name, version = (
        text(metadata.get(f"sdk_{what}"))
        or headers.get(f"x-langfuse-sdk-{what}")
        or headers.get(f"x_langfuse_sdk_{what}")
        or ""
        for what in ("name", "version")
    )
    return Sender(f"langfuse-{name}" if name else "langfuse", version)


def _scores(call: Call) -> Answer:
    """One score as an object, or many as a list."""
    body, telemetry = call.json(), Telemetry()
    if isinstance(body, dict):
        verdict = read_score(body, call.now_ns)
        telemetry.add_verdict(verdict)
        return Answer({"id": verdict.score_id}, telemetry=telemetry)
    if not isinstance(body, list):
        raise BadInput("the body must be a score or a list of scores", field="body")
    errors = []
    for place, score in enumerate(body):
        try:
            telemetry.add_verdict(read_score(mapping(score), call.now_ns))
        except (BadInput, RecursionError) as e:
            native = text(mapping(score).get("id"))
            errors.append({"id": native, "index": place, "status": 400, "message": str(e)})
    said: dict[str, Any] = {"message": "Accepted"}
    if errors:
        said = {"accepted": len(body) - len(errors), "rejected": len(errors), "errors": errors}
    return Answer(said, 202, telemetry=telemetry)


def _score_gone(call: Call) -> Answer:
    telemetry = Telemetry()
    telemetry.add_verdict(
        Verdict(name="", score_id=call.params["score_id"], time_ns=call.now_ns, is_deleted=True)
    )
    return Answer({"message": "Score deletion accepted"}, 202, telemetry=telemetry)


def _media(call: Call) -> Answer:
    """Media is named and not asked for: no upload address means that it is there already."""
    digest = text(call.json_object().get("sha256Hash")) or call.body.decode(errors="replace")
    media_id = hashlib.blake2b(digest.encode(errors="replace"), digest_size=11).hexdigest()
    return Answer({"mediaId": media_id, "uploadUrl": None}, 201)


def _absent(call: Call) -> Answer:
    raise NotFound(f"{call.path} is not kept here: traces, observations and scores are")


def _refuse(error: VagusError) -> dict[str, Any]:
    name = "LangfuseNotFoundError" if error.status == 404 else "InvalidRequestError"
    field = error.field if isinstance(error, BadInput) else None
    return {"message": str(error), "error": name} | ({"field": field} if field else {})


def _says(body: Any) -> Any:
    return lambda _: Answer(body)


def _routes(prefix: str) -> tuple[Route, ...]:
    base = f"{prefix}/api/public"
    lists = ("v2/prompts", "v2/datasets", "datasets", "dataset-items", "score-configs")
    absent = ("v2/prompts", "v2/datasets", "dataset-items", "dataset-run-items")
    return (
        Route(f"{base}/ingestion", _ingestion, refuse=_refuse),
        Route(f"{base}/scores", _scores, refuse=_refuse),
        Route(f"{base}/scores/{{score_id}}", _score_gone, ("DELETE",), refuse=_refuse),
        Route(f"{base}/health", _says({"status": "OK", "version": "3.0.0"}), ("GET",), True),
        Route(f"{base}/projects", _says({"data": [_PROJECT]}), ("GET",), refuse=_refuse),
        Route(f"{base}/media", _media, refuse=_refuse),
        *(Route(f"{base}/{path}", _says(_NOTHING), ("GET",), refuse=_refuse) for path in lists),
        *(Route(f"{base}/{path}", _absent, refuse=_refuse) for path in absent),
        *(
            Route(f"{base}/{path}/{{name:path}}", _absent, ("GET", "PATCH"), refuse=_refuse)
            for path in ("v2/prompts", "v2/datasets", "datasets", "dataset-items", "media")
        ),
    )


ROUTES = (*_routes(""), *_routes("/langfuse"))
