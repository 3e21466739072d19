"""The parts of a multipart form that is held in memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from vagus.errors import BadInput

MAX_PARTS = 100_000

_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)
_NAME = re.compile(rb'name="([^"]*)"', re.IGNORECASE)
_TYPE = re.compile(rb"^content-type:\s*([^\r]*)", re.IGNORECASE | re.MULTILINE)


class Part(NamedTuple):
    """One part: the name of its field, its header and its content."""

    name: str
    header: bytes
    content: bytes

    @property
    def media_type(self) -> str:
        """What the part says it is; '' when it does not."""
        found = _TYPE.search(self.header)
        return found.group(1).decode("latin-1").strip() if found else ""


def read_parts(body: bytes, content_type: str) -> Iterator[Part]:
    """The parts in their order; raises `BadInput` for what is no multipart form."""
    found = _BOUNDARY.search(content_type)
    if not content_type.lower().startswith("multipart/") or found is None:
        raise BadInput(
            "the content type must be multipart/form-data with a boundary", field="content-type"
        )
    mark = b"--" + (found.group(1) or found.group(2)).encode("latin-1", "replace")
    if not body.startswith(mark):
        raise BadInput("the body does not begin with its boundary", field="body")
    pieces = body[len(mark) :].split(b"\r\n" + mark, MAX_PARTS + 1)
    if len(pieces) > MAX_PARTS:
        raise BadInput(
            "the form has too many parts", field="body", limit=f"{MAX_PARTS} parts of a form"
        )
    if not pieces[-1].startswith(b"--"):
        raise BadInput("the form is cut off: its last boundary is missing", field="body")
    for place, piece in enumerate(pieces[:-1]):
        header, gap, content = piece.partition(b"\r\n\r\n")
        name = _NAME.search(header)
        if not gap or name is None:
            raise BadInput(f"part {place} of the form has no header with a name", field="body")
        yield Part(name.group(1).decode(errors="replace"), header, content)
