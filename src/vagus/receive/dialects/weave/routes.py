"""The paths of Weave's trace server, and the GraphQL that its client asks at start."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from vagus.errors import BadInput
from vagus.receive.dialects.base import Answer, Call, Route
from vagus.receive.dialects.build import Telemetry
from vagus.receive.dialects.check import as_list, as_object
from vagus.receive.dialects.shared import mapping, refuse_each, text
from vagus.receive.dialects.weave import objects
from vagus.receive.dialects.weave.calls import add_call
from vagus.receive.dialects.weave.feedback import verdict_of

MAX_BATCH = 10_000
_BASES = ("", "/traces", "/weave")
_USER = "vagus"
_SLOTS = 4096


def _server_info(_: Call) -> Answer:
    return Answer({"min_required_weave_python_version": "0.0.1", "trace_server_version": "99.0.0"})


def _graphql(call: Call) -> Answer:
    """Whatever the client asks: there is such a project, and somebody may write to it."""
    said = mapping(call.json_object().get("variables"))
    entity = text(said.get("entityName")) or text(said.get("entity")) or _USER
    project = {
        "name": text(said.get("name")) or text(said.get("project")) or "default",
        "id": "1",
        "internalId": "1",
    }
    viewer = {
        "id": "1",
        "username": _USER,
        "entity": entity,
        "defaultEntity": {"name": entity},
        "teams": {"edges": [{"node": {"name": entity}}]},
        "flags": "{}",
    }
    upserted = {"model": project, "project": project, "inserted": False}
    return Answer({"data": {"project": project, "viewer": viewer, "upsertModel": upserted}})


def _complete(call: Call) -> Answer:
    return _calls(call, call.json_object().get("batch"), "batch", lambda item: item)


def _upsert_batch(call: Call) -> Answer:
    """The older protocol: starts and ends of calls, each in an envelope."""

    def inside(item: Any) -> Any:
        request = as_object(as_object(item, "item").get("req"), "req")
        return request.get("start") if "start" in request else request.get("end")

    return _calls(call, call.json_object().get("batch"), "batch", inside)


def _calls(call: Call, batch: Any, name: str, inside: Callable[[Any], Any]) -> Answer:
    items = as_list(batch, name, MAX_BATCH)
    telemetry = Telemetry()
    starts = {
        text(mapping(found).get("id")): text(mapping(found).get("trace_id"))
        for item in items
        if isinstance(item, dict) and (found := _quietly(inside, item)) is not None
    }

    def add(item: Any) -> None:
        _add(call, telemetry, inside(item), starts)

    refused = refuse_each(items, name, add)
    results = [{"id": native, "trace_id": trace} for native, trace in starts.items()]
    if not refused:
        return Answer({"res": results}, telemetry=telemetry)
    words = [str(error) for _, error in refused]
    fields = [f"{name}[{place}].{error.field}" for place, error in refused]
    body = {"reason": words[0], "errors": words, "fields": fields}
    return Answer(body, 400, telemetry=telemetry)


def _quietly(inside: Callable[[Any], Any], item: Any) -> Any:
    try:
        return inside(item)
    except BadInput:
        return None


def _add(call: Call, telemetry: Telemetry, said: Any, starts: dict[str, str]) -> None:
    """Add a call; the end of one may not say its trace, which its start has said."""
    if isinstance(said, dict) and not said.get("trace_id"):
        native = text(said.get("id"))
        said = {**said, "trace_id": starts.get(native) or _trace_begun(call, native)}
    entity, project = call.params.get("entity", ""), call.params.get("project", "")
    add_call(telemetry, said, project=f"{entity}/{project}")
    if said.get("ended_at") is None:
        with contextlib.suppress(BadInput):
            call.notes.put(_slot(said["id"]), f"{said['id']} {said['trace_id']}")


def _trace_begun(call: Call, native: str) -> str:
    begun, _, trace = (call.notes.get(_slot(native)) or "").rpartition(" ")
    return trace if begun == native else ""


def _slot(native: str) -> str:
    """Where the trace of a call that runs is remembered; the places are few and used again."""
    return f"weave.call:{zlib.crc32(native.encode(errors='replace')) % _SLOTS}"


def _start(call: Call) -> Answer:
    said = as_object(call.json_object().get("start"), "start")
    answer = Answer({"id": said.get("id"), "trace_id": said.get("trace_id")})
    _add(call, answer.telemetry, said, {})
    return answer


def _end(call: Call) -> Answer:
    said = as_object(call.json_object().get("end"), "end")
    answer = Answer({})
    _add(call, answer.telemetry, said, {})
    return answer


def _feedback(call: Call) -> Answer:
    native, verdict = verdict_of(call.json(), call.now_ns)
    answer = Answer(_kept(native, call))
    answer.telemetry.add_verdict(verdict)
    return answer


def _feedback_batch(call: Call) -> Answer:
    items = as_list(call.json_object().get("batch"), "batch", MAX_BATCH)
    telemetry, kept = Telemetry(), []

    def add(item: Any) -> None:
        native, verdict = verdict_of(item, call.now_ns)
        telemetry.add_verdict(verdict)
        kept.append(_kept(native, call))

    refused = refuse_each(items, "batch", add)
    if not refused:
        return Answer({"res": kept}, telemetry=telemetry)
    words = [str(error) for _, error in refused]
    fields = [f"batch[{place}].{error.field}" for place, error in refused]
    body = {"reason": words[0], "errors": words, "fields": fields, "res": kept}
    return Answer(body, 400, telemetry=telemetry)


def _kept(native: str, call: Call) -> dict[str, Any]:
    moment = datetime.fromtimestamp(call.now_ns / 1e9, UTC).isoformat()
    return {"id": native, "created_at": moment, "wb_user_id": _USER, "payload": {}}


def _keeps_none(_: Call) -> Answer:
    raise BadInput("calls are read and changed with Vagus's own API, not Weave's", field="path")


_PATHS: tuple[tuple[str, str, Callable[[Call], Answer]], ...] = (
    ("POST", "/v2/{entity}/{project}/calls/complete", _complete),
    ("POST", "/v2/{entity}/{project}/call/start", _start),
    ("POST", "/v2/{entity}/{project}/call/end", _end),
    ("POST", "/call/upsert_batch", _upsert_batch),
    ("POST", "/call/start", _start),
    ("POST", "/call/end", _end),
    ("POST", "/call/update", _keeps_none),
    ("POST", "/calls/stream_query", _keeps_none),
    ("POST", "/calls/delete", _keeps_none),
    ("POST", "/feedback/create", _feedback),
    ("POST", "/feedback/batch/create", _feedback_batch),
    ("POST", "/obj/create", objects.create_object),
    ("POST", "/obj/read", objects.read_object),
    ("POST", "/file/create", objects.create_file),
    ("POST", "/files/create", objects.create_file),
    ("POST", "/table/create", objects.create_table),
    ("POST", "/table/create_from_digests", objects.create_table_from_digests),
)

ROUTES = (
    Route("/graphql", _graphql),
    *(
        route
        for base in _BASES
        for route in (
            Route(f"{base}/server_info", _server_info, ("GET",), is_open=True),
            *(Route(base + path, handle, (method,)) for method, path, handle in _PATHS),
        )
    ),
)
