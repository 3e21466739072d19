"""MLflow's protocol beside its OTLP spans: experiments, what is said of whole traces, assessments.

MLflow tells the session and the user of a trace when the trace has ended, and without its root
span's id. So what it tells becomes a span of no length behind the end of the trace: the trace takes
its context from any of its spans, and the root stays the root.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any

from vagus.errors import BadInput, NotFound, Unauthorized, VagusError
from vagus.receive.dialects.base import Answer, Call, Route
from vagus.receive.dialects.build import (
    NATIVE_TRACE_ID,
    Telemetry,
    Verdict,
    json_text,
    span_id_of,
    time_ns,
    trace_id_of,
)
from vagus.receive.dialects.check import as_list, as_object, as_text
from vagus.receive.dialects.shared import mapping, number, text

#: Clients send spans over OTLP to servers from 3.4 on.
VERSION = "3.17.2"
_MAX_PAIRS = 1000
_MAX_EXPECTED = 4000
_SOURCES = {"HUMAN": "human", "LLM_JUDGE": "model", "AI_JUDGE": "model", "CODE": "code"}
_BASES = ("", "/mlflow")
_BEHIND_NS = 1_000_000
_V2, _V3 = "/api/2.0/mlflow", "/api/3.0/mlflow"


def refuse(error: VagusError) -> dict[str, Any]:
    """An error as MLflow's clients read it."""
    code = "INTERNAL_ERROR"
    if isinstance(error, BadInput):
        code = "INVALID_PARAMETER_VALUE"
    if isinstance(error, NotFound):
        code = "RESOURCE_DOES_NOT_EXIST"
    if isinstance(error, Unauthorized):
        code = "UNAUTHENTICATED"
    return {"error_code": code, "message": str(error)}


def _version(_: Call) -> Answer:
    return Answer(VERSION, media_type="text/plain")


def _health(_: Call) -> Answer:
    return Answer("OK", media_type="text/plain")


def _server_info(_: Call) -> Answer:
    return Answer({"store_type": "SqlStore"})


def _get_experiment(call: Call) -> Answer:
    number_ = call.query.get("experiment_id", "")
    if not number_:
        raise BadInput("experiment_id is missing", field="experiment_id")
    name = call.notes.get(f"mlflow.experiment:{number_[:100]}")
    return _experiment(number_, name or ("Default" if number_ == "0" else number_))


def _get_experiment_by_name(call: Call) -> Answer:
    name = call.query.get("experiment_name", "")
    number_ = _number_of(name)
    if name != "Default" and call.notes.get(f"mlflow.experiment:{number_}") is None:
        raise NotFound(f"there is no experiment {name[:80]!r}", field="experiment_name")
    return _experiment(number_, name)


def _create_experiment(call: Call) -> Answer:
    name = as_text(call.json_object().get("name"), "name")
    number_ = _number_of(name)
    call.notes.put(f"mlflow.experiment:{number_}", name)
    return Answer({"experiment_id": number_})


def _search_experiments(_: Call) -> Answer:
    return _wrapped("experiments", [_described("0", "Default")])


def _number_of(name: str) -> str:
    """An experiment's number: it follows from its name, so that it stays the same everywhere."""
    digest = hashlib.blake2b(name.encode(errors="replace"), digest_size=7).digest()
    return "0" if name == "Default" else str(int.from_bytes(digest))


def _experiment(number_: str, name: str) -> Answer:
    return _wrapped("experiment", _described(number_, name))


def _wrapped(name: str, value: Any) -> Answer:
    return Answer({name: value})


def _described(number_: str, name: str) -> dict[str, Any]:
    return {
        "experiment_id": number_,
        "name": name,
        "artifact_location": f"mlflow-artifacts:/{number_}",
        "lifecycle_stage": "active",
    }


def _trace(call: Call) -> Answer:
    """What is said of a whole trace; its spans come over OTLP."""
    info = as_object(mapping(call.json_object().get("trace")).get("trace_info"), "trace_info")
    native = _trace_name(info.get("trace_id"))
    said = _pairs(info.get("trace_metadata"), "trace_metadata")
    tags = _pairs(info.get("tags"), "tags")
    begun_ns = time_ns(info.get("request_time")) or call.now_ns
    duration_s = number(str(info.get("execution_duration") or "0").removesuffix("s"))
    end_ns = begun_ns + round(min(max(duration_s or 0.0, 0.0), 1e9) * 1e9) + _BEHIND_NS
    answer = Answer(_echoed(info, tags))
    _tell(
        answer.telemetry,
        native,
        end_ns,
        {
            **said,
            **{f"mlflow.traceTag.{key}": value for key, value in tags.items()},
            "session.id": said.get("mlflow.trace.session"),
            "user.id": said.get("mlflow.trace.user"),
        },
    )
    for assessment in as_list(info.get("assessments") or [], "assessments", _MAX_PAIRS):
        _judge(answer.telemetry, native, as_object(assessment, "assessment"), "", call.now_ns)
    return answer


def _echoed(info: Mapping[str, Any], tags: Mapping[str, Any]) -> dict[str, Any]:
    """The trace as the client knows it; the tag says that its spans are kept here already."""
    here = {**tags, "mlflow.trace.spansLocation": "TRACKING_STORE"}
    kept = ("trace_id", "client_request_id", "trace_location", "request_preview", "state",
            "response_preview", "request_time", "execution_duration", "trace_metadata")  # fmt: skip
    found = {name: info[name] for name in kept if info.get(name) is not None}
    return {"trace": {"trace_info": {**found, "tags": here}}}


def _tag(call: Call) -> Answer:
    said = call.json_object()
    key, value = as_text(said.get("key"), "key"), as_text(said.get("value"), "value")
    answer = Answer({})
    native = _trace_name(call.params["trace"])
    _tell(answer.telemetry, native, call.now_ns, {f"mlflow.traceTag.{key}": value})
    return answer


def _prompts(call: Call) -> Answer:
    said = call.json_object()
    native = _trace_name(said.get("trace_id"))
    prompts = as_list(said.get("prompt_versions"), "prompt_versions", _MAX_PAIRS)
    answer = Answer({})
    for prompt in prompts[:1]:
        used = as_object(prompt, "prompt_versions[0]")
        attributes = {
            "gen_ai.prompt.name": text(used.get("name")) or None,
            "gen_ai.prompt.version": text(used.get("version")) or None,
            "mlflow.linkedPrompts": json_text(prompts),
        }
        _tell(answer.telemetry, native, call.now_ns, attributes)
    return answer


def _tell(telemetry: Telemetry, native: str, moment_ns: int, attributes: Mapping[str, Any]) -> None:
    names = json_text(sorted(attributes))
    telemetry.add_span(
        resource={},
        scope="mlflow",
        trace_id=trace_id_of(native.removeprefix("tr-")),
        span_id=span_id_of(f"mlflow.trace_info:{native}:{names}"),
        name="mlflow.trace_info",
        start_ns=moment_ns,
        end_ns=moment_ns,
        attributes={**attributes, NATIVE_TRACE_ID: native},
    )


def _assess(call: Call) -> Answer:
    said = as_object(call.json_object().get("assessment"), "assessment")
    native = _trace_name(call.params["trace"])
    answer = Answer({})
    kept = _judge(answer.telemetry, native, said, "", call.now_ns)
    return Answer({"assessment": kept}, telemetry=answer.telemetry)


def _reassess(call: Call) -> Answer:
    said = as_object(call.json_object().get("assessment"), "assessment")
    native, known = _trace_name(call.params["trace"]), call.params["assessment"]
    if not mapping(said.get("feedback")) and not mapping(said.get("expectation")):
        raise BadInput("an update must say the whole feedback", field="assessment.feedback")
    answer = Answer({})
    kept = _judge(answer.telemetry, native, said, known, call.now_ns)
    return Answer({"assessment": kept}, telemetry=answer.telemetry)


def _unassess(call: Call) -> Answer:
    answer = Answer({})
    native = _trace_name(call.params["trace"])
    _take_back(answer.telemetry, native, call.params["assessment"], call.now_ns)
    return answer


def _take_back(telemetry: Telemetry, native: str, known: str, now_ns: int) -> None:
    telemetry.add_verdict(
        Verdict(
            name=_name_in(known),
            score_id=f"mlflow:{known}",
            time_ns=now_ns,
            trace_id=trace_id_of(native.removeprefix("tr-")),
            is_deleted=True,
        )
    )


def _judge(
    telemetry: Telemetry, native: str, said: Mapping[str, Any], known: str, now_ns: int
) -> dict[str, Any]:
    """Add an assessment as a verdict, and give it back as it is kept."""
    name = text(said.get("assessment_name")) or (_name_in(known) if known else "")
    if not name:
        raise BadInput("assessment_name is missing", field="assessment.assessment_name")
    source, span = mapping(said.get("source")), text(said.get("span_id"))
    kind, who = text(source.get("source_type")), text(source.get("source_id"))
    identity = known or _assessment_id(native, name, [span, kind, who, said.get("create_time")])
    value, label, passed = _value(said)
    telemetry.add_verdict(
        Verdict(
            name=name,
            score_id=f"mlflow:{identity}",
            time_ns=time_ns(said.get("last_update_time")) or now_ns,
            trace_id=trace_id_of(native.removeprefix("tr-")),
            span_id=span_id_of(span) if span else b"",
            value=value,
            label=label,
            passed=passed,
            explanation=text(said.get("rationale")),
            source=_SOURCES.get(kind, "external"),
            evaluator=who or "mlflow",
        )
    )
    if replaced := text(said.get("overrides")):
        _take_back(telemetry, native, replaced, now_ns)
    return {**said, "assessment_name": name, "assessment_id": identity, "trace_id": native}


def _value(said: Mapping[str, Any]) -> tuple[float | None, str, bool | None]:
    """Value, label and whether it passed; an expectation is kept as the label."""
    if expected := mapping(said.get("expectation")):
        held = expected.get("value", mapping(expected.get("serialized_value")).get("value"))
        words = held if isinstance(held, str) else json_text(held)
        return None, words[:_MAX_EXPECTED], None
    feedback = as_object(said.get("feedback"), "assessment.feedback")
    value = feedback.get("value")
    if isinstance(value, bool):
        return float(value), "", value
    found = number(value) if isinstance(value, int | float) else None
    if found is not None:
        return found, "", None
    if error := mapping(feedback.get("error")):
        return None, f"error: {text(error.get('error_code')) or 'unknown'}", None
    if value is None:
        raise BadInput("feedback has no value", field="assessment.feedback.value")
    label = value if isinstance(value, str) else json_text(value)
    passed = {"yes": True, "no": False}.get(label.lower())
    return None, label[:_MAX_EXPECTED], passed


def _assessment_id(native: str, name: str, rest: list[Any]) -> str:
    """An id that holds the name, because an update or a deletion may not repeat it."""
    digest = hashlib.blake2b(json_text([native, name, rest]).encode(), digest_size=8).hexdigest()
    return f"a-{digest}-{base64.urlsafe_b64encode(name.encode(errors='replace')).decode()}"


def _name_in(assessment_id: str) -> str:
    encoded = assessment_id.split("-", 2)[-1] if assessment_id.count("-") >= 2 else ""
    try:
        name = base64.urlsafe_b64decode(encoded).decode()
    except (binascii.Error, ValueError):
        name = ""
    if not name:
        raise NotFound("there is no such assessment", field="assessment_id")
    return name


def _trace_name(value: Any) -> str:
    native = as_text(value, "trace_id")
    if not native.removeprefix("tr-"):
        raise BadInput("trace_id is missing", field="trace_id")
    return native


def _pairs(value: Any, field: str) -> dict[str, str]:
    """A map of texts; also as the list of keys and values that older clients send."""
    if isinstance(value, list):
        value = {text(mapping(v).get("key")): mapping(v).get("value") for v in value[:_MAX_PAIRS]}
    found = as_object(value or {}, field)
    if len(found) > _MAX_PAIRS:
        raise BadInput(f"{field} has too many entries", field=field, limit=f"{_MAX_PAIRS}")
    return {key: said if isinstance(said, str) else json_text(said) for key, said in found.items()}


def _no_such_trace(call: Call) -> Answer:
    raise NotFound("traces are read with Vagus's own API, not with MLflow's", field="trace_id")


def _route(base: str, method: str, path: str, handle: Any, *, is_open: bool = False) -> Route:
    return Route(base + path, handle, (method,), is_open=is_open, refuse=refuse)


_PATHS: tuple[tuple[str, str, Any], ...] = (
    ("GET", f"{_V3}/server-info", _server_info),
    ("GET", f"{_V2}/experiments/get", _get_experiment),
    ("GET", f"{_V2}/experiments/get-by-name", _get_experiment_by_name),
    ("POST", f"{_V2}/experiments/create", _create_experiment),
    ("POST", f"{_V2}/experiments/search", _search_experiments),
    ("POST", f"{_V3}/traces", _trace),
    ("POST", f"{_V2}/traces/link-prompts", _prompts),
    ("POST", f"{_V3}/traces/link-prompts", _prompts),
    ("PATCH", f"{_V2}/traces/{{trace}}/tags", _tag),
    ("POST", f"{_V3}/traces/{{trace}}/assessments", _assess),
    ("PATCH", f"{_V3}/traces/{{trace}}/assessments/{{assessment}}", _reassess),
    ("DELETE", f"{_V3}/traces/{{trace}}/assessments/{{assessment}}", _unassess),
    ("GET", f"{_V3}/traces/{{trace}}/assessments/{{assessment}}", _no_such_trace),
    ("POST", f"{_V3}/traces/search", _no_such_trace),
    ("POST", f"{_V3}/traces/batchGet", _no_such_trace),
    ("GET", f"{_V3}/traces/batchGet", _no_such_trace),
    ("GET", f"{_V3}/traces/{{trace}}", _no_such_trace),
    ("GET", f"{_V2}/traces/{{trace}}", _no_such_trace),
)

ROUTES = (
    *(
        _route(base, "GET", path, handle, is_open=True)
        for base in _BASES
        for path, handle in (("/version", _version), ("/health", _health))
    ),
    *(_route(base, method, path, handle) for base in _BASES for method, path, handle in _PATHS),
)
