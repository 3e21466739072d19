from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from receive.samples_of_otlp import trace_request
from vagus.errors import BadInput
from vagus.receive.parse import check_request


def _refusal(signal: str, body: bytes) -> str | None:
    try:
        check_request(signal, body)
    except BadInput as e:
        return str(e)
    return None


def test_a_good_request_goes_on_untouched() -> None:
    body = trace_request(3).SerializeToString()

    checked = check_request("traces", body)

    assert checked.request is body
    assert checked.items == 3
    assert checked.rejected == 0


def test_unknown_fields_stay_in_the_bytes() -> None:
    body = trace_request().SerializeToString() + b"\xfa\x7f\x03new"

    assert check_request("traces", body).request is body


@pytest.mark.parametrize("signal", ["traces", "logs", "metrics"])
def test_an_empty_request_has_no_items(signal: str) -> None:
    assert check_request(signal, b"").items == 0


def test_a_truncated_request_says_which_field_is_cut() -> None:
    body = trace_request().SerializeToString()

    with pytest.raises(BadInput, match=r"resource_spans\[0\] at byte \d+ claims \d+ bytes but"):
        check_request("traces", body[:-5])


def test_broken_text_is_found_deep_inside() -> None:
    body = trace_request(4).SerializeToString()
    at = body.rindex(b"gpt-4o")
    broken = body[:at] + b"\xff" + body[at + 1 :]

    with pytest.raises(BadInput) as caught:
        check_request("traces", broken)

    assert (
        "resource_spans[0].scope_spans[0].spans[3].attributes[0].value.string_value"
        f" is not valid UTF-8 at byte {at}"
    ) in str(caught.value)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"hello world", "field 13 at byte 3"),
        (b"\x07", "byte 0 is not the start of a protobuf field"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "cut off or too long"),
        (b"\x0a\xff\xff\xff\xff\x07", "claims 2147483647 bytes but only 0 are left"),
        (b'{"resourceSpans":[]}', "not a valid OTLP traces request"),
    ],
)
def test_what_is_not_protobuf_is_named(body: bytes, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_request("traces", body)

    assert said in str(caught.value)


@given(st.binary(max_size=200), st.sampled_from(["traces", "logs", "metrics"]))
def test_any_bytes_are_taken_or_refused_with_a_sentence(body: bytes, signal: str) -> None:
    refusal = _refusal(signal, body)
    assert refusal is None or len(refusal) > 40


@given(st.data())
def test_any_damage_to_a_request_is_taken_or_refused_with_a_sentence(data) -> None:
    body = bytearray(trace_request(3).SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))

    refusal = _refusal("traces", bytes(body))
    assert refusal is None or len(refusal) > 40


def test_finding_the_fault_in_a_large_body_takes_bounded_time() -> None:
    body = trace_request(1).SerializeToString() * 100_000 + b"\x0a\x05"
    started = time.perf_counter()

    with pytest.raises(BadInput):
        check_request("traces", body)

    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("trace_id", "span_id", "said"),
    [
        (b"short", b"s" * 8, "has a trace_id of 5 bytes instead of 16"),
        (b"t" * 16, b"", "has a span_id of 0 bytes instead of 8"),
        (bytes(16), b"s" * 8, "has an all-zero trace_id"),
        (b"t" * 16, bytes(8), "has an all-zero span_id"),
    ],
)
def test_spans_without_usable_ids_are_left_out_and_the_rest_is_kept(
    trace_id: bytes, span_id: bytes, said: str
) -> None:
    request = trace_request(3)
    bad = request.resource_spans[0].scope_spans[0].spans[1]
    bad.trace_id, bad.span_id = trace_id, span_id
    nested = request.resource_spans[0].resource.attributes.add(key="n").value
    nested.kvlist_value.values.add(key="k").value.int_value = 1

    checked = check_request("traces", request.SerializeToString())

    assert (checked.items, checked.rejected) == (2, 1)
    assert checked.message == (
        f"spans left out: 1; the first: resource_spans[0].scope_spans[0].spans[1] {said}"
    )
    del request.resource_spans[0].scope_spans[0].spans[1]
    assert ExportTraceServiceRequest.FromString(checked.request) == request


def test_when_no_span_is_usable_nothing_is_left_to_store() -> None:
    request = trace_request(2)
    for span in request.resource_spans[0].scope_spans[0].spans:
        span.trace_id = b""

    checked = check_request("traces", request.SerializeToString())

    assert (checked.items, checked.rejected, checked.request) == (0, 2, b"")
