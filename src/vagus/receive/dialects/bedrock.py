"""Amazon Bedrock's model invocation logs: from Firehose, and as lines of the files in S3.

A record has no trace of its own. Its request id names one, unless the caller put `traceparent`, or
`trace_id` and `span_id`, among the request's metadata: then it stands below the span that made the
call, and the call is charged once although both report it.

`inputTokenCount` leaves cached tokens out, as Converse does. A body over 100 KB lies in S3; the
record has its address, which is kept in place of the content, and the counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from vagus.errors import BadInput
from vagus.receive.dialects import shared
from vagus.receive.dialects.base import Answer, Call, Route, decode_json
from vagus.receive.dialects.build import (
    NATIVE_ID,
    Telemetry,
    span_id_of,
    time_ns,
    trace_id_of,
)
from vagus.receive.providers.bedrock import METRICS, metered_usage
from vagus.receive.providers.exchange import Exchange, Reading
from vagus.receive.providers.probe import at, count, decoded, mapping, number, objects, text
from vagus.receive.providers.read import read_exchange

_SCOPE = "aws.bedrock.invocation_log"
_MOST_METADATA = 64
#: Records of one request that are said to be unusable, one by one.
_MOST_REASONS = 1_000
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
_HEX_TRACE = re.compile(r"[0-9a-fA-F]{32}")
_HEX_SPAN = re.compile(r"[0-9a-fA-F]{16}")
# Profiles and deployments of one's own have ids that do not name a model.
_OPAQUE = ("application-inference-profile", "provisioned-model", "custom-model-deployment")

#: The HTTP status behind an error's name (Bedrock API reference, InvokeModel, errors).
_STATUS = {
    "ValidationException": 400,
    "AccessDeniedException": 403,
    "ResourceNotFoundException": 404,
    "ModelTimeoutException": 408,
    "ModelErrorException": 424,
    "ModelStreamErrorException": 424,
    "ModelNotReadyException": 429,
    "ThrottlingException": 429,
    "InternalServerException": 500,
    "ServiceUnavailableException": 503,
}

#: Who a call was for, by the usual names of a request's metadata.
_METADATA: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("gen_ai.prompt.name", ("prompt", "prompt_name", "prompt_id")),
    ("gen_ai.prompt.version", ("prompt_version",)),
    ("gen_ai.agent.name", ("agent", "agent_name")),
    ("deployment.environment.name", ("env", "environment", "stage")),
)
_SERVICE = ("service", "service_name", "service.name", "application", "app")


def add_record(telemetry: Telemetry, record: Any) -> None:
    """Add the span of one invocation; raises `BadInput` for what is no invocation record."""
    if not isinstance(record, Mapping):
        raise BadInput("an invocation record must be a JSON object", field="record")
    request_id = text(record, "requestId")
    if not request_id or not ("modelId" in record or "operation" in record):
        raise BadInput(
            "this is no model invocation record: it has no requestId with a modelId or operation",
            field="requestId",
        )
    start_ns = time_ns(record.get("timestamp"))
    if not start_ns:
        raise BadInput("the timestamp is missing or is no time", field="timestamp")
    try:
        reading = _read(record)
        attributes = reading.attributes() | _origin(record, request_id)
    except RecursionError as e:
        raise BadInput("the record nests too deeply", field="record") from e
    metadata = mapping(record, "requestMetadata")
    trace_id, parent = _place(metadata, request_id)
    code = text(record, "errorCode")
    telemetry.add_span(
        resource=_resource(record, metadata),
        scope=_SCOPE,
        trace_id=trace_id,
        span_id=span_id_of(request_id),
        parent_span_id=parent,
        name=f"{reading.operation} {reading.request_model}".strip(),
        start_ns=start_ns,
        end_ns=start_ns + _latency_ns(record),
        attributes=attributes,
        error=code or reading.error if code or reading.error is not None else None,
    )


def _read(record: Mapping[str, Any]) -> Reading:
    model = model_of(text(record, "modelId"))
    into, out = mapping(record, "input"), mapping(record, "output")
    counts = {
        "inputTokenCount": into.get("inputTokenCount"),
        "cacheReadInputTokenCount": into.get("cacheReadInputTokenCount"),
        "cacheWriteInputTokenCount": into.get("cacheWriteInputTokenCount"),
        "outputTokenCount": out.get("outputTokenCount"),
    }
    operation = text(record, "operation")
    reading = read_exchange(
        Exchange(
            request=decoded(into.get("inputBodyJson")),
            response=decoded(out.get("outputBodyJson")),
            url="/converse" if operation.startswith("Converse") else "",
            provider="aws.bedrock",
            model=model,
            metered=metered_usage(counts),
        )
    )
    reading.is_streaming = operation in ("ConverseStream", "InvokeModelWithResponseStream")
    if not reading.is_streaming or "outputBodyJson" not in out:
        reading.is_cut_off = False
    if not model.startswith(_OPAQUE):
        # The body names the model in its maker's words, the price list in Amazon's.
        reading.response_model = model
    if "embed" in model and not reading.output:
        reading.operation = "embeddings"
    if code := text(record, "errorCode"):
        reading.error_type = code
    if text(record, "performanceConfig", "latency") == "optimized":
        reading.service_tier = "optimized"
    _keep_addresses(reading, into, out)
    return reading


def _keep_addresses(reading: Reading, into: Mapping[str, Any], out: Mapping[str, Any]) -> None:
    """Where a body was too large to be logged, its address stands for its content."""
    if (address := text(into, "inputBodyS3Path")) and not reading.input:
        reading.input = [_elsewhere("user", address, text(into, "inputContentType"))]
    if (address := text(out, "outputBodyS3Path")) and not reading.output:
        reading.output = [_elsewhere("assistant", address, text(out, "outputContentType"))]


def _elsewhere(role: str, address: str, mime: str) -> dict[str, Any]:
    part = {"type": "uri", "uri": address, "mime_type": mime, "modality": "document"}
    return {"role": role, "parts": [part]}


def model_of(model_id: str) -> str:
    """The id of a model out of its ARN; that of a profile of one's own keeps its kind."""
    if not model_id.startswith("arn:"):
        return model_id
    resource = model_id.split(":", 5)[-1]
    kind, _, name = resource.partition("/")
    return resource if kind in _OPAQUE or not name else name


def _origin(record: Mapping[str, Any], request_id: str) -> dict[str, Any]:
    """Where and by whom the call was made, as attributes."""
    metadata = mapping(record, "requestMetadata")
    found: dict[str, Any] = {
        NATIVE_ID: request_id,
        "vagus.convention": "bedrock",
        "aws.request_id": request_id,
        "aws.bedrock.model_id": text(record, "modelId") or None,
        "aws.identity.arn": text(record, "identity", "arn") or None,
        "aws.bedrock.operation": text(record, "operation") or None,
        "cloud.region": text(record, "inferenceRegion") or text(record, "region") or None,
        "http.response.status_code": _STATUS.get(text(record, "errorCode")),
        "aws.bedrock.guardrail.id": text(record, "input", "guardrailIdentifier") or None,
        **shared.attribution(metadata),
    }
    for name, keys in _METADATA:
        if value := shared.text(shared.first(metadata, *keys)):
            found[name] = value
    for key in list(metadata)[:_MOST_METADATA]:
        found[f"aws.bedrock.request_metadata.{key}"] = shared.text(metadata[key]) or None
    if (waited_ms := number(_metrics(record), "firstByteLatency")) is not None:
        found["gen_ai.response.time_to_first_chunk"] = waited_ms / 1000
    return found


def _resource(record: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "service.name": shared.text(shared.first(metadata, *_SERVICE)) or "bedrock",
        "cloud.provider": "aws",
        "cloud.account.id": text(record, "accountId") or None,
        "cloud.region": text(record, "region") or None,
    }


def _place(metadata: Mapping[str, Any], request_id: str) -> tuple[bytes, bytes]:
    """The trace and the span above, which the caller may have put into the metadata."""
    if found := _TRACEPARENT.fullmatch(text(metadata, "traceparent")):
        trace_id, parent = (bytes.fromhex(part) for part in found.groups())
        return (trace_id, parent) if any(trace_id) else (trace_id_of(request_id), b"")
    trace = text(metadata, "trace_id") or text(metadata, "traceId")
    span = text(metadata, "span_id") or text(metadata, "spanId")
    parent = bytes.fromhex(span) if trace and _HEX_SPAN.fullmatch(span) else b""
    if _HEX_TRACE.fullmatch(trace.replace("-", "")):
        return trace_id_of(trace), parent if any(parent) else b""
    return trace_id_of(trace or request_id), b""


def _metrics(record: Mapping[str, Any]) -> Mapping[str, Any]:
    body = decoded(at(record, "output", "outputBodyJson"))
    chunks = objects({"chunks": body}, "chunks") or [mapping(body)]
    return next((found for chunk in reversed(chunks) if (found := mapping(chunk, METRICS))), {})


def _latency_ns(record: Mapping[str, Any]) -> int:
    body = decoded(at(record, "output", "outputBodyJson"))
    chunks = objects({"chunks": body}, "chunks") or [mapping(body)]
    for chunk in reversed(chunks):
        found = count(chunk, "metrics", "latencyMs")
        found = found if found is not None else count(chunk, "metadata", "metrics", "latencyMs")
        found = found if found is not None else count(chunk, METRICS, "invocationLatency")
        if found is not None:
            return min(found, 86_400_000) * 1_000_000
    return 0


def _import(call: Call) -> Answer:
    """Take the records of an S3 file's lines; each line that cannot be used is named."""
    telemetry = Telemetry()
    taken = bad = 0
    refused: list[dict[str, Any]] = []
    for place, line in enumerate(call.body.splitlines(), 1):
        if not line.strip():
            continue
        try:
            add_record(telemetry, decode_json(line, "the record"))
            taken += 1
        except BadInput as e:
            bad += 1
            if len(refused) < _MOST_REASONS:
                refused.append({"line": place, "message": str(e)})
    said: dict[str, Any] = {"accepted": taken, "rejected": bad, "refused": refused}
    if bad and not taken:
        words = f"no line is an invocation record; line {refused[0]['line']}: "
        said["message"] = words + refused[0]["message"]
        return Answer(said, 400, rejected=bad)
    return Answer(said, telemetry=telemetry, rejected=bad)


ROUTES = tuple(
    Route(path, _import) for path in ("/aws/bedrock", "/ingest/bedrock", "/api/v1/import/bedrock")
)
