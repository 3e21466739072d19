"""The paths of Datadog's intake and of its agent."""

from __future__ import annotations

from typing import Any

from vagus.errors import BadInput, NotFound, VagusError
from vagus.receive.dialects.base import Answer, Call, Route
from vagus.receive.dialects.build import Telemetry
from vagus.receive.dialects.datadog.apm import add_trace, read_traces
from vagus.receive.dialects.datadog.evaluations import read_evaluation
from vagus.receive.dialects.datadog.spans import add_llm_span, read_tags
from vagus.receive.dialects.shared import listed, mapping, refuse_each

_RATES = {"rate_by_service": {"service:,env:": 1}}


def _llmobs(call: Call) -> Answer:
    """Events, each with its spans."""
    body = call.json()
    events = body if isinstance(body, list) else [body]
    spans = []
    for place, event in enumerate(events):
        held = mapping(event).get("spans")
        if not isinstance(held, list):
            raise BadInput(f"event {place} has no list of spans", field=f"[{place}].spans")
        spans += held
    return _keep(spans, {})


def _spans_v1(call: Call) -> Answer:
    """The first version of the intake, which LiteLLM still speaks."""
    said = mapping(mapping(call.json_object().get("data")).get("attributes"))
    spans = said.get("spans")
    if not isinstance(spans, list):
        raise BadInput("the body has no list of spans", field="data.attributes.spans")
    return _keep(spans, {"ml_app": said.get("ml_app"), **read_tags(said.get("tags"))})


def _keep(spans: list[Any], tags: dict[str, Any]) -> Answer:
    telemetry, shared = Telemetry(), read_tags(tags)
    bad = refuse_each(
        spans, "spans", lambda span: add_llm_span(mapping(span), telemetry, shared_tags=shared)
    )
    return _answer([error for _, error in bad], telemetry)


def _evaluations(call: Call) -> Answer:
    said = mapping(mapping(call.json_object().get("data")).get("attributes"))
    metrics = said.get("metrics")
    if not isinstance(metrics, list):
        raise BadInput("the body has no list of metrics", field="data.attributes.metrics")
    telemetry = Telemetry()
    bad = refuse_each(
        metrics,
        "metrics",
        lambda metric: telemetry.add_verdict(read_evaluation(mapping(metric), call.now_ns)),
    )
    return _answer([error for _, error in bad], telemetry)


def _answer(bad: list[BadInput], telemetry: Telemetry) -> Answer:
    """202, or 400 with what was wrong; what was right is kept in either case."""
    if not bad:
        return Answer({}, 202, telemetry=telemetry)
    return Answer({"errors": [_error(e) for e in bad[:100]]}, 400, telemetry=telemetry)


def _traces(call: Call) -> Answer:
    """The agent's endpoint; it never tells the tracer of single spans, nor does the real one."""
    version = call.path.split("/")[1]
    telemetry = Telemetry()
    for trace in read_traces(call.body, call.headers.get("content-type", ""), version):
        add_trace(listed(trace), telemetry)
    return Answer(_RATES, telemetry=telemetry)


def _unkept(_: Call) -> Answer:
    return Answer({}, 202)


def _absent(call: Call) -> Answer:
    raise NotFound(f"{call.path} is not kept here: spans and evaluations are")


def _error(error: VagusError) -> dict[str, Any]:
    said = {"status": str(error.status), "title": "Invalid request", "detail": str(error)}
    field = error.field if isinstance(error, BadInput) else None
    return said | ({"source": {"pointer": field}} if field else {})


def _refuse(error: VagusError) -> dict[str, Any]:
    return {"errors": [_error(error)]}


def _intake(prefix: str) -> tuple[Route, ...]:
    return (
        Route(f"{prefix}/api/v2/llmobs", _llmobs, refuse=_refuse),
        Route(f"{prefix}/api/intake/llm-obs/v1/trace/spans", _spans_v1, refuse=_refuse),
        Route(f"{prefix}/api/intake/llm-obs/v1/eval-metric", _evaluations, refuse=_refuse),
        Route(f"{prefix}/api/intake/llm-obs/v2/eval-metric", _evaluations, refuse=_refuse),
    )


_PROXIES = ("/evp_proxy/v1", "/evp_proxy/v2", "/evp_proxy/v4")

ROUTES = (
    *(route for prefix in ("", *_PROXIES) for route in _intake(prefix)),
    *(
        Route(f"/{version}/traces", _traces, ("POST", "PUT"), refuse=_refuse)
        for version in ("v0.3", "v0.4", "v0.5")
    ),
    *(
        Route(f"{prefix}{path}/{{rest:path}}", _absent, ("GET", "POST", "PATCH"), refuse=_refuse)
        for prefix in _PROXIES
        for path in ("/api/unstable/llm-obs", "/api/v2/llm-obs")
    ),
    *(
        Route(path, _unkept, ("POST", "PUT"), refuse=_refuse)
        for path in (
            "/telemetry/proxy/{rest:path}",
            "/evp_proxy/{version}/{rest:path}",
            "/profiling/v1/input",
            "/v0.6/stats",
        )
    ),
    Route("/v0.7/config", lambda _: Answer({}), refuse=_refuse),
)
