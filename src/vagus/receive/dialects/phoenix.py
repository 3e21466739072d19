"""Phoenix's REST protocol: spans as JSON, and annotations of spans, traces, sessions, documents."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from vagus.errors import BadInput, NotFound
from vagus.receive.dialects.base import Answer, Call, Route
from vagus.receive.dialects.build import (
    Event,
    Telemetry,
    Verdict,
    json_text,
    span_id_of,
    time_ns,
    trace_id_of,
)
from vagus.receive.dialects.check import as_list, as_object, as_text
from vagus.receive.dialects.shared import mapping, number, refuse_each, text

VERSION = "20.0.0"
MAX_ITEMS = 10_000
_MAX_EVENTS = 1000
_HEADERS = {"x-phoenix-server-version": VERSION}
_SOURCES = {"HUMAN": "human", "LLM": "model", "CODE": "code"}
_BASES = ("", "/phoenix")
#: What an annotation is about: the field that names it, under the path that takes it.
_SUBJECTS = {
    "span_annotations": "span_id",
    "span_notes": "span_id",
    "document_annotations": "span_id",
    "trace_annotations": "trace_id",
    "trace_notes": "trace_id",
    "session_annotations": "session_id",
    "session_notes": "session_id",
}


def _version(_: Call) -> Answer:
    return Answer(VERSION, media_type="text/plain", headers=_HEADERS)


def _spans(call: Call) -> Answer:
    project = call.params["project"]
    items = as_list(call.json_object().get("data"), "data", MAX_ITEMS)
    telemetry = Telemetry()
    refused = refuse_each(items, "data", lambda item: _add(telemetry, item, project))
    body: dict[str, Any] = {
        "total_received": len(items),
        "total_queued": len(items) - len(refused),
        "total_duplicates": 0,
        "total_invalid": len(refused),
    }
    if not refused:
        return Answer(body, 202, headers=_HEADERS, telemetry=telemetry)
    ids = [mapping(mapping(items[n]).get("context")).get("span_id") for n, _ in refused]
    body |= {
        "error": "spans could not be used",
        "detail": str(refused[0][1]),
        "invalid_spans": [
            {"span_id": text(span), "error": str(error), "field": error.field}
            for span, (_, error) in zip(ids, refused, strict=True)
        ],
        "duplicate_spans": [],
    }
    return Answer(body, 400, headers=_HEADERS, telemetry=telemetry)


def _add(telemetry: Telemetry, said: Any, project: str) -> None:
    span = as_object(said, "span")
    context = as_object(span.get("context"), "context")
    trace, own = _named(context, "trace_id"), _named(context, "span_id")
    start_ns, end_ns = _moment(span, "start_time"), _moment(span, "end_time")
    parent = text(span.get("parent_id"))
    kind = text(span.get("span_kind"))
    status = text(span.get("status_code")).upper()
    attributes = as_object(span.get("attributes") or {}, "attributes")
    events = as_list(span.get("events") or [], "events", _MAX_EVENTS)
    telemetry.add_span(
        resource={"service.name": project, "openinference.project.name": project},
        scope="phoenix.client",
        trace_id=trace_id_of(trace),
        span_id=span_id_of(own),
        parent_span_id=span_id_of(parent) if parent else b"",
        name=text(span.get("name")),
        start_ns=start_ns,
        end_ns=end_ns,
        attributes={
            "openinference.span.kind": kind if kind and kind != "UNKNOWN" else None,
            **attributes,
        },
        error=text(span.get("status_message")) if status == "ERROR" else None,
        is_ok=status == "OK",
        events=[_event(mapping(event), end_ns) for event in events],
    )


def _event(event: Mapping[str, Any], end_ns: int) -> Event:
    moment_ns = time_ns(event.get("timestamp")) or end_ns
    return Event(text(event.get("name")), moment_ns, mapping(event.get("attributes")))


def _annotations(call: Call) -> Answer:
    kind = call.path.rsplit("/", 1)[-1]
    data = call.json_object().get("data")
    items = as_list([data] if isinstance(data, dict) else data, "data", MAX_ITEMS)
    telemetry = Telemetry()
    ids: list[dict[str, str]] = []

    def add(item: Any) -> None:
        verdict = _verdict(as_object(item, "annotation"), kind, call.now_ns)
        telemetry.add_verdict(verdict)
        ids.append({"id": base64.b64encode(verdict.score_id.encode()[:200]).decode()})

    refused = refuse_each(items, "data", add)
    if refused:
        words = [str(error) for _, error in refused]
        fields = [f"data[{place}].{error.field}" for place, error in refused]
        body = {"detail": words[0], "errors": words, "fields": fields, "data": ids}
        return Answer(body, 400, headers=_HEADERS, telemetry=telemetry)
    is_note = kind.endswith("_notes")
    return Answer(
        {"data": ids[0] if is_note and ids else ids}, headers=_HEADERS, telemetry=telemetry
    )


def _verdict(said: Mapping[str, Any], kind: str, now_ns: int) -> Verdict:
    subject = _SUBJECTS[kind]
    about = _named(said, subject)
    is_note = kind.endswith("_notes")
    name = "note" if is_note else as_text(said.get("name"), "name")
    result = mapping(said.get("result"))
    note = text(said.get("note"))
    value, label = number(result.get("score")), text(result.get("label"))
    if value is None and not label and not text(result.get("explanation")) and not note:
        raise BadInput("result needs a score, a label or an explanation", field="result")
    place = said.get("document_position") if kind == "document_annotations" else None
    identity = json_text([kind, about, name, place, said.get("identifier"), note])
    return Verdict(
        name=name if place is None else f"{name} of document {place}",
        score_id=f"phoenix:{hashlib.blake2b(identity.encode(), digest_size=12).hexdigest()}",
        time_ns=now_ns,
        trace_id=trace_id_of(about) if subject == "trace_id" else b"",
        span_id=span_id_of(about) if subject == "span_id" else b"",
        session=about if subject == "session_id" else "",
        value=value,
        # A verdict needs a value or a label, and a note has only words.
        label=label or ("" if value is not None else "note"),
        explanation=text(result.get("explanation")) or note,
        source=_SOURCES.get(text(said.get("annotator_kind")), "human" if is_note else "external"),
        evaluator=text(said.get("identifier")) or "phoenix",
    )


def _named(said: Mapping[str, Any], name: str) -> str:
    found = as_text(said.get(name), name)
    if not found:
        raise BadInput(f"{name} is missing", field=name)
    return found


def _moment(said: Mapping[str, Any], name: str) -> int:
    found = time_ns(said.get(name))
    if not found:
        raise BadInput(f"{name} is not a time", field=name)
    return found


def _projects(_: Call) -> Answer:
    return Answer({"data": [_described("default")], "next_cursor": None}, headers=_HEADERS)


def _project(call: Call) -> Answer:
    return Answer({"data": _described(call.params["project"])}, headers=_HEADERS)


def _create_project(call: Call) -> Answer:
    name = _named(call.json_object(), "name")
    return Answer({"data": _described(name)}, headers=_HEADERS)


def _described(name: str) -> dict[str, Any]:
    """A project of Phoenix's is a service here, and needs no making."""
    number_ = base64.b64encode(f"Project:{name}".encode(errors="replace")).decode()
    return {"id": number_, "name": name, "description": ""}


def _keeps_none(call: Call) -> Answer:
    what = call.path.partition("/v1/")[2].split("/")[0]
    raise BadInput(f"Vagus keeps no {what}; nothing was stored", field="path")


def _not_here(call: Call) -> Answer:
    what = call.path.rstrip("/").rsplit("/", 1)[-1]
    raise NotFound(f"{what[:80]}: read with Vagus's own API, not with Phoenix's", field="path")


_PATHS: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/v1/projects/{project}/spans", _spans),
    *(("POST", f"/v1/{kind}", _annotations) for kind in _SUBJECTS),
    ("GET", "/v1/projects", _projects),
    ("POST", "/v1/projects", _create_project),
    ("GET", "/v1/projects/{project}", _project),
    ("GET", "/v1/projects/{project}/spans", _not_here),
    ("GET", "/v1/projects/{project}/span_annotations", _not_here),
    ("GET", "/v1/projects/{project}/traces", _not_here),
    ("POST", "/v1/datasets/upload", _keeps_none),
    ("POST", "/v1/datasets/{id}/experiments", _keeps_none),
    ("POST", "/v1/experiments/{id}/runs", _keeps_none),
    ("POST", "/v1/experiment_evaluations", _keeps_none),
    ("POST", "/v1/evaluations", _keeps_none),
    ("GET", "/v1/datasets", _not_here),
    ("GET", "/v1/datasets/{id}", _not_here),
    ("GET", "/v1/datasets/{id}/{part}", _not_here),
    ("POST", "/v1/prompts", _keeps_none),
    ("GET", "/v1/prompts/{id}/latest", _not_here),
    ("GET", "/v1/prompts/{id}/tags/{tag}", _not_here),
    ("GET", "/v1/prompt_versions/{id}", _not_here),
)

ROUTES = tuple(
    route
    for base in _BASES
    for route in (
        Route(f"{base}/arize_phoenix_version", _version, ("GET",), is_open=True),
        *(Route(base + path, handle, (method,)) for method, path, handle in _PATHS),
    )
)
