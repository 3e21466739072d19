"""Helicone's logging API: one finished call, tool, search or event a request.

The body is `{providerRequest: {url, json, meta}, providerResponse: {json | textBody, status,
headers}, timing}`; whose call it was stands in `Helicone-*` headers, or in `meta` under the same
names. The client takes any answer but 200 for a failure.

LiteLLM's callback speaks it too: it writes every answer in OpenAI's shape, says `api.openai.com`
for most providers, and names `gpt-3.5-turbo` for a model that it does not know. Its requests are
known by a header, and there the answer's own model is believed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from vagus.errors import BadInput
from vagus.receive.dialects import shared
from vagus.receive.dialects.base import Answer, Call, Route
from vagus.receive.dialects.build import (
    NATIVE_ID,
    Telemetry,
    json_text,
    span_id_of,
    trace_id_of,
)
from vagus.receive.providers.exchange import Exchange, Reading
from vagus.receive.providers.probe import at, count, decoded, mapping, number, objects, text
from vagus.receive.providers.read import read_exchange
from vagus.receive.providers.vendors import provider_at, provider_of_model

_SCOPE = "helicone"
_PROPERTY = "helicone-property-"
_MOST_PROPERTIES = 100
_LITELLM = ("openai-version", "2020-10-01")
_UNKNOWN_MODEL = "gpt-3.5-turbo"
_CANCELLED = -3
_OURS = ("_type", "toolName")
_SEARCHES = ("search", "query", "retrieve", "similarity_search", "")
_HINTS = {"oai": "openai", "anthropic": "anthropic"}


def _log(call: Call) -> Answer:
    body = call.json_object()
    asked, answered = body.get("providerRequest"), body.get("providerResponse")
    if not isinstance(asked, dict) or not isinstance(asked.get("json"), dict):
        raise BadInput("providerRequest.json must be an object", field="providerRequest.json")
    if not isinstance(answered, dict):
        raise BadInput("providerResponse must be an object", field="providerResponse")
    start_ns, end_ns = _moment(body, "startTime"), _moment(body, "endTime")
    if not start_ns:
        raise BadInput("timing.startTime.seconds is missing", field="timing.startTime")
    said = _said(call, asked, answered)
    try:
        name, attributes, error = _meaning(call, asked, answered)
    except RecursionError as e:
        raise BadInput("the body nests too deeply", field="body") from e
    if (waited_ms := number(body, "timing", "timeToFirstToken")) is not None:
        attributes["gen_ai.response.time_to_first_chunk"] = waited_ms / 1000
    native = said.get("helicone-request-id") or hashlib.blake2b(call.body).hexdigest()[:32]
    telemetry = Telemetry()
    telemetry.add_span(
        resource={"service.name": said.get(f"{_PROPERTY}service", "") or "helicone"},
        scope=_SCOPE,
        trace_id=trace_id_of(native),
        span_id=span_id_of(native),
        name=name,
        start_ns=start_ns,
        end_ns=max(end_ns, start_ns),
        attributes={
            **attributes,
            **_whose(said),
            NATIVE_ID: native,
            "vagus.convention": "helicone",
        },
        error=error,
    )
    return Answer({"message": "ok"}, telemetry=telemetry)


def _moment(body: Mapping[str, Any], key: str) -> int:
    seconds, ms = (
        number(body, "timing", key, "seconds"),
        number(body, "timing", key, "milliseconds"),
    )
    if seconds is None or seconds > 1e10:
        return 0
    return round(seconds * 1000 + min(ms or 0.0, 1000.0)) * 1_000_000


def _said(call: Call, asked: Mapping[str, Any], answered: Mapping[str, Any]) -> dict[str, str]:
    """Every Helicone header, from the request, its `meta` and the headers of the answer."""
    found: dict[str, str] = {}
    for source in (mapping(answered, "headers"), mapping(asked, "meta"), call.headers):
        for key, value in source.items():
            name = str(key).lower().replace("_", "-")
            if name.startswith("helicone-") and (told := shared.text(value)):
                found[name] = told
    return found


def _whose(said: Mapping[str, str]) -> dict[str, Any]:
    """Session, user, prompt and properties as attributes."""
    own = {k[len(_PROPERTY) :]: v for k, v in said.items() if k.startswith(_PROPERTY)}
    by_name = {key.replace("-", "_"): value for key, value in own.items()}
    found: dict[str, Any] = {
        "deployment.environment.name": shared.first(by_name, "environment", "env"),
        **shared.attribution(by_name),
        "gen_ai.prompt.name": said.get("helicone-prompt-id"),
        "gen_ai.prompt.version": said.get("helicone-prompt-version"),
        "helicone.session.name": said.get("helicone-session-name"),
        "helicone.session.path": said.get("helicone-session-path"),
    }
    if user := said.get("helicone-user-id"):
        found["user.id"] = user
    if session := said.get("helicone-session-id"):
        found["session.id"] = session
    if said.get("helicone-cache", "").upper() == "HIT":
        found["vagus.local_cache"] = "hit"
    found |= {f"helicone.property.{k}": own[k] for k in list(own)[:_MOST_PROPERTIES]}
    return {key: value for key, value in found.items() if value}


def _meaning(
    call: Call, asked: Mapping[str, Any], answered: Mapping[str, Any]
) -> tuple[str, dict[str, Any], str | None]:
    """The name of the span, what it means as attributes, and its error."""
    request = asked["json"]
    response = {k: v for k, v in mapping(answered, "json").items() if k not in _OURS}
    kind = text(request, "_type")
    if kind == "tool":
        return _tool(request, response, answered)
    if kind == "vector_db":
        return _search(request, response, answered)
    if kind == "data":
        return _event(request, response, answered)
    reading = _read(call, asked, answered, response)
    attributes = reading.attributes()
    status = _status(answered)
    if status is not None and status >= 100:
        attributes["http.response.status_code"] = status
    error = _failure(answered, reading)
    if error is not None and "error.type" not in attributes:
        attributes["error.type"] = shared.error_class(error) or (
            str(status) if status and status >= 400 else "error"
        )
    model = reading.request_model or reading.response_model
    return f"{reading.operation} {model}".strip(), attributes, error


def _read(
    call: Call, asked: Mapping[str, Any], answered: Mapping[str, Any], response: dict[str, Any]
) -> Reading:
    url = text(asked, "url")
    body = response or text(answered, "textBody")
    model = text(asked["json"], "model")
    hint = "" if provider_at(url) else _hinted(call.path)
    name, value = _LITELLM
    if text(answered, "headers", name) == value and set(mapping(answered, "headers")) == {name}:
        own = text(response, "model")
        model = own if model == _UNKNOWN_MODEL and own else model
        hint = provider_of_model(own or model) if provider_at(url) in ("openai", "") else ""
    reading = read_exchange(
        Exchange(request=asked["json"], response=body, url=url, provider=hint, model=model)
    )
    if _status(answered) == _CANCELLED:
        reading.is_cut_off = True
    plain = text(answered, "textBody")
    is_text = plain and not _is_stream(plain) and not isinstance(decoded(plain), dict | list)
    if is_text and not reading.output and not shared.error_class(plain):
        reading.output = [{"role": "assistant", "parts": [{"type": "text", "content": plain}]}]
    return reading


def _hinted(path: str) -> str:
    """The provider that a path names."""
    return next((name for word, name in _HINTS.items() if f"/{word}/" in path), "")


def _is_stream(plain: str) -> bool:
    return plain.lstrip().startswith(("data:", "event:", "{", ":"))


def _status(answered: Mapping[str, Any]) -> int | None:
    value = answered.get("status")
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _failure(answered: Mapping[str, Any], reading: Reading | None) -> str | None:
    if reading is not None and reading.error is not None:
        return reading.error
    plain, status = text(answered, "textBody"), _status(answered)
    if status is not None and status >= 400:
        return plain[:2_000] or f"status {status}"
    if status == _CANCELLED:
        return "cancelled"
    # The client writes the traceback of an error in front of what had come until then.
    if shared.error_class(plain):
        return shared.error_message(plain)[:2_000]
    return None


def _tool(
    request: Mapping[str, Any], response: Mapping[str, Any], answered: Mapping[str, Any]
) -> tuple[str, dict[str, Any], str | None]:
    name = text(request, "toolName") or "tool"
    result: Any = response or text(answered, "textBody") or None
    attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": name,
        "gen_ai.tool.call.arguments": _json(request.get("input")),
        "gen_ai.tool.call.result": _json(result),
    }
    return f"execute_tool {name}", attributes, _failure(answered, None)


def _search(
    request: Mapping[str, Any], response: Mapping[str, Any], answered: Mapping[str, Any]
) -> tuple[str, dict[str, Any], str | None]:
    operation = text(request, "operation").lower()
    store = text(request, "databaseName")
    is_search = operation in _SEARCHES
    found = next(
        (
            documents
            for key in ("documents", "results", "matches", "data")
            if (documents := objects(response, key))
        ),
        None,
    )
    attributes = {
        "gen_ai.operation.name": "retrieval" if is_search else None,
        "vagus.span.kind": None if is_search else "chain",
        "db.operation.name": operation or None,
        "db.collection.name": store or None,
        "gen_ai.retrieval.query.text": text(request, "text") or None,
        "gen_ai.retrieval.top_k": count(request, "topK"),
        "gen_ai.retrieval.documents": _json(found),
        "input.value": _json({k: v for k, v in request.items() if k not in (*_OURS, "vector")}),
        "output.value": _json(response or None),
    }
    name = f"{operation or 'search'} {store}".strip()
    return name, attributes, _failure(answered, None)


def _event(
    request: Mapping[str, Any], response: Mapping[str, Any], answered: Mapping[str, Any]
) -> tuple[str, dict[str, Any], str | None]:
    name = text(request, "name") or "data"
    held = {key: value for key, value in request.items() if key not in _OURS}
    attributes = {
        "vagus.span.kind": "chain",
        "input.value": _json(at(request, "meta") or held),
        "output.value": _json(response or text(answered, "textBody") or None),
    }
    return name, attributes, _failure(answered, None)


def _json(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json_text(value)


ROUTES = tuple(
    Route(f"{base}{path}", _log)
    for base in ("", "/helicone")
    for path in (
        "/oai/v1/log",
        "/anthropic/v1/log",
        "/custom/v1/log",
        "/v1/log",
        "/v1/log/request",
        "/oai/v1/log/request",
        "/anthropic/v1/log/request",
        "/custom/v1/log/request",
    )
)
