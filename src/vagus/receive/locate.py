"""Where a protobuf body stops being valid: a walk over the wire format for the error message."""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from vagus.receive.record import read_varint

_MOST_FIELDS = 200_000
_FIXED = {1: 8, 5: 4}


class _Found(Exception):
    """The first fault, as a sentence."""


class _Walk:
    """One walk; counts fields so that a hostile body cannot keep it busy."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._fields = 0

    def message(self, at: int, end: int, kind: Descriptor, path: str) -> None:
        """Check the message between two offsets, and all messages in it."""
        counts: dict[int, int] = {}
        while at < end:
            self._fields += 1
            if self._fields > _MOST_FIELDS:
                raise _Found(f"the fault is somewhere behind byte {at}, in {path or 'the request'}")
            tag, start = self._varint(at, end, path)
            number, wire = tag >> 3, tag & 7
            if number == 0 or wire in (6, 7):
                raise _Found(
                    f"{_in(path)}byte {at} is not the start of a protobuf field (tag {tag})"
                )
            field = kind.fields_by_number.get(number)
            name = f"{path}.{field.name}".lstrip(".") if field else f"{path} field {number}".strip()
            if field is not None and field.is_repeated and field.message_type:
                name += f"[{counts.get(number, 0)}]"
                counts[number] = counts.get(number, 0) + 1
            at = self._value(start, end, wire, field, name)

    def _value(self, at: int, end: int, wire: int, field: FieldDescriptor | None, name: str) -> int:
        if wire == 0:
            return self._varint(at, end, name)[1]
        if wire in _FIXED:
            self._room(at, _FIXED[wire], end, name)
            return at + _FIXED[wire]
        if wire != 2:
            raise _Found(f"{name} at byte {at} uses the unsupported wire type {wire} (a group)")
        length, start = self._varint(at, end, name)
        self._room(start, length, end, name)
        if field is not None and field.message_type is not None:
            self.message(start, start + length, field.message_type, name)
        elif field is not None and field.type == field.TYPE_STRING:
            try:
                self._data[start : start + length].decode()
            except UnicodeDecodeError as e:
                raise _Found(f"{name} is not valid UTF-8 at byte {start + e.start}") from e
        return start + length

    def _varint(self, at: int, end: int, path: str) -> tuple[int, int]:
        read = read_varint(self._data, at)
        if read is None or read[1] > end:
            raise _Found(f"{_in(path)}the number at byte {at} is cut off or too long")
        return read

    def _room(self, at: int, length: int, end: int, name: str) -> None:
        if length > end - at:
            raise _Found(
                f"{name} at byte {at} claims {length} bytes but only {end - at} are left: "
                "the body is cut off or damaged"
            )


def locate_fault(data: bytes, kind: Descriptor) -> str:
    """A sentence naming the field and the byte where parsing a message must fail."""
    try:
        _Walk(data).message(0, len(data), kind, "")
    except _Found as e:
        return str(e)
    return "a field has the wrong wire type or nests too deeply"


def _in(path: str) -> str:
    return f"in {path}, " if path else ""
