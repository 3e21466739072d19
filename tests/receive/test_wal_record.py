from __future__ import annotations

import random
import struct
import zlib

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given, settings
from hypothesis import strategies as st

from vagus.receive.record import Entry, encode_record, read_varint, request_id, scan_records

_TYPES = descriptor_pb2.FieldDescriptorProto


def _record_class():
    file = descriptor_pb2.FileDescriptorProto(name="record.proto", package="t", syntax="proto3")
    nested = file.message_type.add(name="Nested")
    nested.field.add(name="digest", number=1, type=_TYPES.TYPE_BYTES, label=1)
    nested.field.add(name="json", number=2, type=_TYPES.TYPE_STRING, label=1)
    record = file.message_type.add(name="Record")
    record.field.add(name="crc", number=1, type=_TYPES.TYPE_FIXED32, label=1)
    record.field.add(name="project", number=2, type=_TYPES.TYPE_STRING, label=1)
    record.field.add(name="received_ns", number=3, type=_TYPES.TYPE_FIXED64, label=1)
    record.field.add(name="request_id", number=4, type=_TYPES.TYPE_BYTES, label=1)
    record.field.add(
        name="nested", number=5, type=_TYPES.TYPE_MESSAGE, type_name=".t.Nested", label=3
    )
    record.field.add(name="request", number=15, type=_TYPES.TYPE_BYTES, label=1)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.Record"))


RECORD = _record_class()

entries = st.builds(
    Entry,
    signal=st.just("traces"),
    project=st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable()),
    received_ns=st.integers(0, 2**64 - 1),
    request_id=st.binary(min_size=16, max_size=16),
    request=st.binary(min_size=1, max_size=400),
    nested=st.lists(st.tuples(st.binary(min_size=16, max_size=16), st.text()), max_size=3),
)


def _segment(found: list[Entry]) -> tuple[bytes, list[int]]:
    data, ends = b"", []
    for one in found:
        data += b"".join(encode_record(one))
        ends.append(len(data))
    return data, ends


@given(entries)
def test_a_record_reads_back_as_the_protobuf_message_it_promises(one: Entry) -> None:
    data = b"".join(encode_record(one))

    length, start = read_varint(data, 0)
    message = RECORD.FromString(data[start : start + length])

    assert start + length == len(data)
    assert message.crc == zlib.crc32(data[start + 5 :])
    assert message.project == one.project
    assert message.received_ns == one.received_ns
    assert message.request_id == one.request_id
    assert [(part.digest, part.json) for part in message.nested] == list(one.nested)
    assert message.request == one.request


@given(st.lists(entries, max_size=5))
def test_a_sound_segment_is_read_whole(found: list[Entry]) -> None:
    data, ends = _segment(found)

    scan = scan_records(data)

    assert [end for _, end in scan.records] == ends
    assert list(scan.request_ids) == [one.request_id for one in found]
    assert scan.damage == ()


@given(st.lists(entries, min_size=1, max_size=5), st.data())
def test_a_cut_segment_keeps_every_record_before_the_cut(found: list[Entry], data) -> None:
    whole, ends = _segment(found)
    cut = data.draw(st.integers(0, len(whole)))

    scan = scan_records(whole[:cut])

    assert [end for _, end in scan.records] == [end for end in ends if end <= cut]
    assert all(part.is_cut_short for part in scan.damage)
    assert bool(scan.damage) == (cut not in (0, *ends))


@settings(max_examples=300)
@given(st.lists(entries, min_size=1, max_size=6), st.data())
def test_a_flipped_bit_costs_one_record_and_is_reported(found: list[Entry], data) -> None:
    whole, ends = _segment(found)
    at = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytearray(whole)
    flipped[at] ^= 1 << data.draw(st.integers(0, 7))

    scan = scan_records(bytes(flipped))

    hit = next(number for number, end in enumerate(ends) if at < end)
    expected = [end for number, end in enumerate(ends) if number != hit]
    assert [end for _, end in scan.records] == expected
    assert len(scan.damage) == 1


def test_a_megabyte_of_noise_holds_no_records() -> None:
    noise = random.Random(7).randbytes(1024 * 1024)

    scan = scan_records(noise)

    assert scan.records == ()


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 2**32, 2**63, 2**64 - 1])
def test_varints_of_real_protobuf_are_read(value: int) -> None:
    field = descriptor_pb2.UninterpretedOption(positive_int_value=value).SerializeToString()

    assert read_varint(field, 1) == (value, len(field))


def test_a_request_id_depends_on_project_signal_and_body() -> None:
    ids = {
        request_id("a", "traces", b"x"),
        request_id("b", "traces", b"x"),
        request_id("a", "logs", b"x"),
        request_id("a", "traces", b"y"),
    }

    assert {len(one) for one in ids} == {16}
    assert len(ids) == 4


def test_an_endless_varint_is_no_number() -> None:
    assert read_varint(b"\xff" * 20, 0) is None
    assert read_varint(struct.pack("<B", 0x80), 0) is None
