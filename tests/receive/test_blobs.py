"""Media are taken out of telemetry, kept once, and given back to their own project."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import time
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from PIL import Image

from vagus.errors import NotFound
from vagus.model.blob import parse_reference
from vagus.receive.blobs import BlobStore, take_blobs, thumbnail


def picture(edge: int = 200) -> bytes:
    out = io.BytesIO()
    Image.frombytes("RGB", (edge, edge), os.urandom(edge * edge * 3)).save(out, "PNG")
    return out.getvalue()


def request(text: str) -> bytes:
    message = ExportTraceServiceRequest()
    span = message.resource_spans.add().scope_spans.add().spans.add(name="s")
    span.attributes.add(key="gen_ai.input.messages").value.string_value = text
    return message.SerializeToString()


def text_of(body: bytes) -> str:
    message = ExportTraceServiceRequest.FromString(body)
    return message.resource_spans[0].scope_spans[0].spans[0].attributes[0].value.string_value


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
def test_a_picture_is_taken_out_and_kept_once(store: BlobStore, prefix: str) -> None:
    content = picture()
    parts = [{"type": "blob", "content": prefix + base64.b64encode(content).decode()}] * 2
    body = take_blobs("traces", request(json.dumps(parts)), lambda c: store.put("shop", c))
    found = [parse_reference(part["content"]) for part in json.loads(text_of(body))]
    assert len(body) < 1_000
    for reference in found:
        assert reference is not None
        assert (reference.mime_type, reference.size_bytes) == ("image/png", len(content))
        assert reference.sha256 == hashlib.sha256(content).hexdigest()
    assert store.read("shop", found[0].sha256) == content


@pytest.mark.parametrize(
    "text",
    [
        "short iVBORw0KGgo",
        base64.b64encode(os.urandom(20_000)).decode() + "/9j/",
        "/9j/" + "A" * 100,
        "iVBORw0KGgo" + "=" * 10_000,
    ],
)
def test_what_is_no_medium_stays_in_its_text(store: BlobStore, text: str) -> None:
    body = request(text)
    assert take_blobs("traces", body, lambda c: store.put("shop", c)) is body


def test_bytes_that_are_no_request_pass(store: BlobStore) -> None:
    body = b"\xff" * 10_000 + b"/9j/"
    assert take_blobs("traces", body, lambda c: store.put("shop", c)) is body


def test_another_project_does_not_see_it(store: BlobStore) -> None:
    digest = store.put("shop", b"x")
    for project, asked in (
        ("other", digest),
        ("shop", "0" * 64),
        ("shop", "../../x"),
        ("..", digest),
    ):
        with pytest.raises(NotFound):
            store.read(project, asked)


def test_what_nobody_sends_any_more_is_dropped(store: BlobStore, tmp_path: Path) -> None:
    old, new = store.put("shop", b"old"), store.put("shop", b"new")
    path = tmp_path / "blobs" / "shop" / old[:2] / old
    os.utime(path, (1, 1))
    assert store.drop_older(time.time() - 3600) == 1
    assert store.read("shop", new) == b"new"
    with pytest.raises(NotFound):
        store.read("shop", old)


def test_a_thumbnail_is_small_and_of_pictures_only() -> None:
    small = thumbnail(picture(900))
    with Image.open(io.BytesIO(small)) as shown:
        assert max(shown.size) == 320
    for content in (b"", b"%PDF-1.4", b"\x89PNG\r\n\x1a\n" + b"\0" * 50):
        with pytest.raises(NotFound):
            thumbnail(content)
