"""Amazon Data Firehose's delivery to an HTTP endpoint, carrying CloudWatch's log events.

The request is `{requestId, timestamp, records: [{data}]}` with base64 data; the data is the gzip of
what CloudWatch sends to a subscription, or plain lines where the stream unpacks them. The answer
has the request's own id, or Firehose delivers again. It does so for ever when the answer is an
error, so a record that can never be used is left out, said and counted, and the rest is taken.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

from vagus.errors import BadInput, TooLarge, VagusError
from vagus.receive.dialects.base import Answer, Call, Route, decode_json
from vagus.receive.dialects.bedrock import add_record
from vagus.receive.dialects.build import Telemetry
from vagus.receive.inflate import inflate, too_large
from vagus.receive.providers.probe import text

#: What all records of one request may inflate to together; Firehose batches are at most 64 MiB.
MAX_INFLATED_BYTES = 128 * 1024 * 1024
MAX_RECORDS = 10_000
_GZIP = b"\x1f\x8b"
_MOST_REASONS = 20


def _deliver(call: Call) -> Answer:
    body = call.json_object()
    request_id = text(body, "requestId") or call.headers.get("x-amz-firehose-request-id", "")
    records = body.get("records")
    if not isinstance(records, list):
        raise BadInput("records must be a list", field="records")
    if len(records) > MAX_RECORDS:
        raise BadInput(
            f"a request has at most {MAX_RECORDS} records", field="records", limit=str(MAX_RECORDS)
        )
    telemetry = Telemetry()
    bad, left = 0, MAX_INFLATED_BYTES
    reasons: list[str] = []
    for place, record in enumerate(records):
        try:
            data = _unpacked(record, left)
        except TooLarge as e:
            raise TooLarge(
                f"the records hold more than {MAX_INFLATED_BYTES} bytes after decompression; "
                "make the buffer of the stream smaller",
                field="records",
                limit=f"{MAX_INFLATED_BYTES} bytes",
            ) from e
        except BadInput as e:
            bad += 1
            reasons.append(f"records[{place}]: {e}")
            continue
        left -= len(data)
        for reason in _take(data, telemetry):
            bad += 1
            reasons.append(f"records[{place}]{reason}")
    said: dict[str, Any] = {"requestId": request_id, "timestamp": call.now_ns // 1_000_000}
    if bad:
        said |= {"rejected": bad, "errorMessage": "; ".join(reasons[:_MOST_REASONS])[:8_000]}
    return Answer(said, telemetry=telemetry, rejected=bad)


def _unpacked(record: Any, limit: int) -> bytes:
    encoded = text(record, "data")
    if not encoded:
        raise BadInput("data is missing", field="data")
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as e:
        raise BadInput(f"data is not base64: {e}", field="data") from e
    if data.startswith(_GZIP):
        return inflate(data, "gzip", max(limit, 1))
    if len(data) > limit:
        raise too_large(limit)
    return data


def _take(data: bytes, telemetry: Telemetry) -> Iterator[str]:
    """Add what a record's data holds; gives a reason for each part that cannot be used."""
    for place, line in enumerate(data.splitlines()):
        if not line.strip():
            continue
        try:
            envelope = decode_json(line, "data")
        except BadInput as e:
            yield f" line {place + 1}: {e}"
            continue
        for name, event in _events(envelope):
            try:
                held = decode_json(event, "message") if isinstance(event, str) else event
                add_record(telemetry, held)
            except BadInput as e:
                yield f"{name}: {e}"


def _events(envelope: Any) -> Iterator[tuple[str, Any]]:
    """The log events of what CloudWatch sent; its own messages that test the way hold none."""
    if not isinstance(envelope, Mapping) or "messageType" not in envelope:
        yield "", envelope
        return
    events = envelope.get("logEvents")
    if envelope.get("messageType") != "DATA_MESSAGE" or not isinstance(events, list):
        return
    for place, event in enumerate(events):
        yield f".logEvents[{place}]", event.get("message") if isinstance(event, Mapping) else event


def _refuse(error: VagusError) -> dict[str, Any]:
    return {"requestId": "", "timestamp": 0, "errorMessage": str(error)}


ROUTES = tuple(
    Route(path, _deliver, refuse=_refuse)
    for path in ("/aws/firehose", "/ingest/firehose", "/firehose", "/api/v1/aws/firehose")
)
