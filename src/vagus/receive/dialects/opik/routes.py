"""The paths of Opik's API that its SDK needs, under each base that its guides name."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any, cast

from vagus.errors import BadInput, NotFound
from vagus.receive.dialects.base import Answer, Call, Route
from vagus.receive.dialects.build import Telemetry
from vagus.receive.dialects.check import as_list
from vagus.receive.dialects.opik import prompts
from vagus.receive.dialects.opik.feedback import (
    Subject,
    guardrail_verdict,
    subject_id,
    verdict_of,
)
from vagus.receive.dialects.opik.records import add_span, add_trace
from vagus.receive.dialects.shared import refuse_each, text

#: Opik's own limit for one batch.
MAX_BATCH = 1000
_BASES = ("", "/api", "/opik", "/opik/api")
_SPACE = uuid.UUID("2f1c3f0e-54c1-5d55-8a7b-0b8d8f5f5a11")
_DONE = 204

Add = Callable[[Telemetry, Any], None]


def _batch(call: Call, name: str, add: Add) -> Answer:
    """Take the items of a batch; the good ones are kept also when others cannot be used."""
    items = as_list(call.json_object().get(name), name, MAX_BATCH)
    telemetry = Telemetry()
    refused = refuse_each(items, name, lambda item: add(telemetry, item))
    if not refused:
        return Answer(None, _DONE, telemetry=telemetry)
    words = [str(error) for _, error in refused]
    fields = [f"{name}[{place}].{error.field}" for place, error in refused]
    body = {"code": 400, "message": words[0], "errors": words, "fields": fields}
    return Answer(body, 400, telemetry=telemetry)


def _one(add: Add, item: Any, status: int) -> Answer:
    telemetry = Telemetry()
    add(telemetry, item)
    return Answer(None, status, telemetry=telemetry)


def _add_trace(call: Call) -> Add:
    version = _sdk_version(call)
    return lambda telemetry, item: add_trace(telemetry, item, sdk_version=version)


def _add_span(call: Call, *, is_update: bool = False) -> Add:
    version = _sdk_version(call)
    return lambda telemetry, item: add_span(
        telemetry, item, is_update=is_update, sdk_version=version
    )


def _sdk_version(call: Call) -> str:
    return call.headers.get("x-opik-debug-sdk-version", "")


def _updated(call: Call) -> dict[str, Any]:
    return {**call.json_object(), "id": call.params["id"]}


def _trace_batch(call: Call) -> Answer:
    return _batch(call, "traces", _add_trace(call))


def _span_batch(call: Call) -> Answer:
    return _batch(call, "spans", _add_span(call))


def _create_trace(call: Call) -> Answer:
    return _one(_add_trace(call), call.json(), 201)


def _create_span(call: Call) -> Answer:
    return _one(_add_span(call), call.json(), 201)


def _update_trace(call: Call) -> Answer:
    return _one(_add_trace(call), _updated(call), _DONE)


def _update_span(call: Call) -> Answer:
    return _one(_add_span(call, is_update=True), _updated(call), _DONE)


def _score_batch(call: Call) -> Answer:
    subject = cast("Subject", call.path.split("/")[-2])

    def add(telemetry: Telemetry, item: Any) -> None:
        native = subject_id(item, subject)
        telemetry.add_verdict(verdict_of(item, subject, native, call.now_ns))

    return _batch(call, "scores", add)


def _score(call: Call) -> Answer:
    return _verdict(call, call.path.split("/")[-3], call.params["id"], is_deleted=False)


def _unscore(call: Call) -> Answer:
    return _verdict(call, call.path.split("/")[-4], call.params["id"], is_deleted=True)


def _unscore_thread(call: Call) -> Answer:
    said = call.json_object()
    answer = Answer(None, _DONE)
    for name in as_list(said.get("names"), "names", MAX_BATCH):
        verdict = verdict_of(
            {"name": name}, "threads", subject_id(said, "threads"), call.now_ns, is_deleted=True
        )
        answer.telemetry.add_verdict(verdict)
    return answer


def _verdict(call: Call, subject: str, native: str, *, is_deleted: bool) -> Answer:
    answer = Answer(None, _DONE)
    verdict = verdict_of(
        call.json_object(), cast("Subject", subject), native, call.now_ns, is_deleted=is_deleted
    )
    answer.telemetry.add_verdict(verdict)
    return answer


def _guardrails(call: Call) -> Answer:
    return _batch(
        call,
        "guardrails",
        lambda telemetry, item: telemetry.add_verdict(guardrail_verdict(item, call.now_ns)),
    )


def _ping(_: Call) -> Answer:
    return Answer({"message": "Healthy Server", "healthy": True})


def _version(_: Call) -> Answer:
    return Answer({"version": "2.2.0"})


def _project(call: Call) -> Answer:
    """A project of Opik's is a service here, and needs no making."""
    name = text(call.json_object().get("name"))
    if not name:
        raise BadInput("name is missing", field="name")
    status = 201 if call.path.endswith("/projects") else 200
    return Answer({"id": str(uuid.uuid5(_SPACE, name)), "name": name}, status)


def _done(_: Call) -> Answer:
    return Answer(None, _DONE)


def _no_such_dataset(call: Call) -> Answer:
    name = text(call.json_object().get("dataset_name"))
    raise NotFound(f"there is no dataset {name[:80]!r}: Vagus keeps none", field="dataset_name")


def _keeps_none(call: Call) -> Answer:
    what = call.path.partition("/v1/private/")[2].split("/")[0]
    raise BadInput(f"Vagus keeps no {what}; nothing was stored", field="path")


def _routes(base: str) -> Iterator[Route]:
    yield Route(f"{base}/is-alive/ping", _ping, ("GET",), is_open=True)
    yield Route(f"{base}/is-alive/ver", _version, ("GET",), is_open=True)
    private = f"{base}/v1/private"
    yield Route(f"{private}/traces/batch", _trace_batch)
    yield Route(f"{private}/spans/batch", _span_batch)
    yield Route(f"{private}/traces", _create_trace)
    yield Route(f"{private}/spans", _create_span)
    for subject in ("traces", "spans", "traces/threads"):
        yield Route(f"{private}/{subject}/feedback-scores", _score_batch, ("PUT",))
    yield Route(f"{private}/traces/threads/feedback-scores/delete", _unscore_thread)
    for state in ("open", "close"):
        yield Route(f"{private}/traces/threads/{state}", _done, ("PUT",))
    for subject in ("traces", "spans"):
        yield Route(f"{private}/{subject}/{{id}}/feedback-scores", _score, ("PUT",))
        yield Route(f"{private}/{subject}/{{id}}/feedback-scores/delete", _unscore)
    yield Route(f"{private}/traces/{{id}}", _update_trace, ("PATCH",))
    yield Route(f"{private}/spans/{{id}}", _update_span, ("PATCH",))
    yield Route(f"{private}/guardrails", _guardrails)
    yield Route(f"{private}/projects", _project)
    yield Route(f"{private}/projects/retrieve", _project)
    yield Route(f"{private}/prompts", prompts.create)
    yield Route(f"{private}/prompts/versions", prompts.create_version)
    yield Route(f"{private}/prompts/versions/retrieve", prompts.retrieve_version)
    yield Route(f"{private}/datasets/retrieve", _no_such_dataset)
    yield Route(f"{private}/datasets", _keeps_none)
    yield Route(f"{private}/datasets/items", _keeps_none, ("PUT",))
    yield Route(f"{private}/experiments/items", _keeps_none)
    yield Route(f"{private}/experiments", _keeps_none)
    for step in ("upload-start", "upload-complete", "upload"):
        yield Route(f"{private}/attachment/{step}", _keeps_none, ("POST", "PUT"))


ROUTES = tuple(route for base in _BASES for route in _routes(base))
