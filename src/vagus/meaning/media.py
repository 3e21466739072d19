"""Images, audio, video and documents in any provider's shape: what they are and where they lie."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from vagus.meaning.content import Blob, File, JsonPart, Part, Text, Uri
from vagus.meaning.values import as_word, first
from vagus.model.blob import PREFIX, parse_reference

#: Types of parts that hold media, as providers and conventions call them.
MEDIA_TYPES = {
    "blob": "",
    "uri": "",
    "file": "",
    "media": "",
    "binary": "",
    "input_file": "",
    "image": "image",
    "image_url": "image",
    "image-url": "image",
    "input_image": "image",
    "image_generation_call": "image",
    "audio": "audio",
    "audio_url": "audio",
    "audio-url": "audio",
    "input_audio": "audio",
    "output_audio": "audio",
    "video": "video",
    "video_url": "video",
    "video-url": "video",
    "input_video": "video",
    "document": "document",
    "document_url": "document",
    "document-url": "document",
    "pdf": "document",
}
#: Keys under which providers put media without naming a type: Google, Bedrock.
MEDIA_KEYS = {
    "inlineData": "",
    "inline_data": "",
    "fileData": "",
    "file_data": "",
    "image": "image",
    "video": "video",
    "audio": "audio",
    "document": "document",
}

_MIME = ("mime_type", "media_type", "mimeType", "mediaType", "image_mimetype", "format")
_FILE = ("file_id", "fileId")
_ADDRESS = ("uri", "url", "fileUri", "file_uri", "file_url", "image_url", "audio_url", "video_url",
            "document_url")  # fmt: skip
_DATA = ("data", "base64", "bytes", "content", "file_data", "b64_json", "image", "audio", "result")
_NAME = ("filename", "file_name", "fileName", "name", "title", "display_name")
_INNER = ("source", "file", "input_audio", "s3Location", "inlineData", "inline_data", "fileData",
          "file_data", "image_url", "video_url", "audio_url", "image", "audio", "video", "document",
          "image_file")  # fmt: skip
_DEEPEST = 4
# Langfuse's SDKs upload media themselves and leave this token in its place.
_LANGFUSE = "@@@langfuseMedia:"
_MAX_ADDRESS = 8_192


def read_media(value: Mapping[str, Any], modality: str = "") -> Part:
    """The part that a media object is; what names no content stays JSON."""
    layers = _layers(value)
    said = as_word(value.get("modality")) or modality
    mime = _mime(as_word(_found(layers, _MIME)), said)
    said = said or _modality(mime)
    name = as_word(_found(layers, _NAME))
    if file_id := as_word(_found(layers, _FILE)):
        return File(file_id, mime, said, name)
    address = _found(layers, _ADDRESS)
    if isinstance(address, str):
        return _addressed(address, mime, said, name)
    for layer in layers:
        if layer.get("type") == "text" and isinstance(layer.get("data"), str):
            return Text(layer["data"])
    data = _found(layers, _DATA)
    if isinstance(data, str):
        return _stored(data, mime, said, name)
    raw = _bytes(data)
    if raw is None:
        return JsonPart(value)
    return Blob(base64.b64encode(raw).decode(), mime, said, len(raw), "", name)


def read_media_text(text: str) -> Part | None:
    """The media that a whole text stands for: a data URI or a reference; None for plain text."""
    if text.startswith((PREFIX, _LANGFUSE)) or _is_data_uri(text):
        return _addressed(text, "", "", "")
    return None


def decoded_size(content: str) -> int:
    """How many bytes a base64 text stands for, counted without decoding it."""
    length = len(content)
    return max(0, length * 3 // 4 - (content.endswith("=") + content.endswith("==")))


def _layers(value: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The object and what it wraps, innermost first."""
    layers = [value]
    for _ in range(_DEEPEST):
        inner = next((v for k in _INNER if isinstance(v := layers[0].get(k), Mapping)), None)
        if inner is None or _bytes(inner) is not None:
            break
        layers.insert(0, inner)
    return layers


def _found(layers: list[Mapping[str, Any]], keys: tuple[str, ...]) -> Any:
    for layer in layers:
        held = {key: layer.get(key) for key in keys}
        # What only wraps the next layer is no content of this one.
        for key in _INNER:
            if isinstance(held.get(key), Mapping) and _bytes(held[key]) is None:
                del held[key]
        found = first(held, *keys)
        if found is not None:
            return found
    return None


def _mime(word: str, modality: str) -> str:
    """A mime type, also from a bare format like `png` or `wav`."""
    if not word or "/" in word:
        return word
    if word in ("pdf", "json", "zip", "xml"):
        return f"application/{word}"
    return f"{modality}/{word}" if modality in ("image", "audio", "video") else word


def _modality(mime: str) -> str:
    head = mime.partition("/")[0]
    if head in ("image", "audio", "video"):
        return head
    return "document" if head in ("application", "text") else ""


def _addressed(address: str, mime: str, modality: str, name: str) -> Part:
    if address.startswith(_LANGFUSE):
        fields = dict(
            pair.partition("=")[::2] for pair in address[len(_LANGFUSE) :].strip("@").split("|")
        )
        mime = mime or fields.get("type", "")
        return File(fields.get("id", ""), mime, modality or _modality(mime), name)
    if _is_data_uri(address):
        head, _, data = address.partition(",")
        mime = head[5:].removesuffix(";base64") or mime
        return _stored(data, mime, modality or _modality(mime), name)
    is_address = "://" in address[:32] or address.startswith(("/", "data:"))
    if len(address) > _MAX_ADDRESS or address.startswith(PREFIX) or not is_address:
        return _stored(address, mime, modality, name, is_certain=address.startswith(PREFIX))
    return Uri(address, mime, modality, name)


def _stored(content: str, mime: str, modality: str, name: str, *, is_certain: bool = True) -> Part:
    """Base64 that is inside the message, or the reference that stands in its place."""
    reference = parse_reference(content)
    if reference is not None:
        mime = mime or reference.mime_type
        size, digest = reference.size_bytes, reference.sha256
        return Blob("", mime, modality or _modality(mime), size, digest, name)
    if _is_data_uri(content):
        return _addressed(content, mime, modality, name)
    if "://" in content[:32] or not (is_certain or _is_base64(content)):
        return Uri(content, mime, modality, name)
    return Blob(content, mime, modality, decoded_size(content), "", name)


def _is_data_uri(text: str) -> bool:
    return text.startswith("data:") and ";base64," in text[:256]


def _is_base64(content: str) -> bool:
    """Whether the beginning of a text decodes; addresses without a scheme do not."""
    try:
        base64.b64decode(content[:64], validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(content) >= 32


def _bytes(value: Any) -> bytes | None:
    """Bytes that JavaScript wrote out as numbers, in a list or under the keys 0, 1, 2, …"""
    if isinstance(value, Mapping):
        if value.get("type") == "Buffer":
            value = value.get("data")
        elif "0" in value:
            value = list(value.values())
    if not isinstance(value, (list, tuple)) or not value:
        return None
    try:
        return bytes(value)
    except (TypeError, ValueError):
        return None
