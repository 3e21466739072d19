"""Weave's objects, files and tables: answered with the digests that its client works out too.

Objects are remembered as far as the notes of a project go, so that a published one can be read
again. Rows of tables and contents of files are not kept.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from collections.abc import Iterator
from email import message_from_bytes
from typing import Any

import msgspec

from vagus.errors import BadInput, NotFound
from vagus.receive.dialects.base import Answer, Call
from vagus.receive.dialects.check import as_list, as_object, as_text

_MOST_ROWS = 100_000


def digest_of(content: bytes) -> str:
    """The digest of bytes, as Weave writes it."""
    found = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode()
    return found.replace("-", "X").replace("_", "Y").rstrip("=")


def digest_of_json(value: Any) -> str:
    """The digest of a value: that of its JSON with sorted keys, spaced as Python spaces it."""
    return digest_of(json.dumps(value, sort_keys=True).encode())


def create_object(call: Call) -> Answer:
    """Remember an object and tell its digest."""
    said = as_object(call.json_object().get("obj"), "obj")
    project, name = (
        as_text(said.get("project_id"), "project_id"),
        as_text(said.get("object_id"), "object_id"),
    )
    value = said.get("val")
    digest = digest_of_json(value)
    # An object that is too large, or one too many, is not worth an error in the user's program.
    with contextlib.suppress(BadInput):
        call.notes.put(_key(project, name, digest), msgspec.json.encode(value).decode())
        call.notes.put(_key(project, name, "latest"), digest)
    return Answer({"digest": digest, "object_id": name})


def read_object(call: Call) -> Answer:
    """An object that was remembered."""
    said = call.json_object()
    project, name, digest = (
        as_text(said.get(field), field) for field in ("project_id", "object_id", "digest")
    )
    if digest in ("latest", ""):
        digest = call.notes.get(_key(project, name, "latest")) or ""
    held = call.notes.get(_key(project, name, digest)) if digest else None
    if held is None:
        raise NotFound(f"there is no object {name[:80]!r} of that digest", field="object_id")
    value = msgspec.json.decode(held)
    described = {
        "project_id": project,
        "object_id": name,
        "digest": digest,
        "created_at": "1970-01-01T00:00:00Z",
        "version_index": 0,
        "is_latest": 1,
        "kind": "object",
        "base_object_class": None,
        "val": value,
    }
    return Answer({"obj": described})


def _key(project: str, name: str, digest: str) -> str:
    identity = json.dumps([project, name, digest]).encode()
    return f"weave.obj:{hashlib.blake2b(identity, digest_size=16).hexdigest()}"


def create_file(call: Call) -> Answer:
    """Tell the digest of a file."""
    return Answer({"digest": digest_of(_file_in(call))})


def _file_in(call: Call) -> bytes:
    for name, content in _parts(call):
        if name == "file":
            return content
    raise BadInput("the form has no part named file", field="file")


def _parts(call: Call) -> Iterator[tuple[str, bytes]]:
    kind = call.headers.get("content-type", "")
    form = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + call.body)
    if not form.is_multipart():
        raise BadInput("the body is not multipart/form-data", field="content-type")
    for part in form.walk():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            yield str(name), content


def create_table(call: Call) -> Answer:
    """Tell the digests of a table's rows and of the table."""
    table = as_object(call.json_object().get("table"), "table")
    rows = as_list(table.get("rows"), "table.rows", _MOST_ROWS)
    return _table([digest_of_json(row) for row in rows])


def create_table_from_digests(call: Call) -> Answer:
    """Tell the digest of a table whose rows are known."""
    digests = as_list(call.json_object().get("row_digests"), "row_digests", _MOST_ROWS)
    return _table([as_text(digest, "row_digests") for digest in digests])


def _table(rows: list[str]) -> Answer:
    whole = hashlib.sha256("".join(rows).encode(errors="replace")).hexdigest()
    return Answer({"digest": whole, "row_digests": rows})
