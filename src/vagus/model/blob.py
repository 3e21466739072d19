"""References to large content that was taken out of telemetry and lies in blob storage.

A reference is `vagus-blob:sha256:<64 hex digits>;<mime type>;<size in bytes>`.
"""

from __future__ import annotations

import msgspec

PREFIX = "vagus-blob:sha256:"

# A mime type with its parameters is short; anything longer is no reference of ours.
_MAX_LENGTH = 512
_HEX = frozenset("0123456789abcdef")


class BlobReference(msgspec.Struct, frozen=True):
    """Where content lies, what it is and how many bytes it has."""

    sha256: str
    mime_type: str
    size_bytes: int


def format_reference(reference: BlobReference) -> str:
    """The reference as the text that stands in place of the content."""
    return f"{PREFIX}{reference.sha256};{reference.mime_type};{reference.size_bytes}"


def parse_reference(text: str) -> BlobReference | None:
    """The reference that a text is; None for any other text."""
    if not text.startswith(PREFIX) or len(text) > _MAX_LENGTH:
        return None
    digest, _, rest = text[len(PREFIX) :].partition(";")
    # The mime type may have parameters of its own, so the size is what follows the last `;`.
    mime_type, separator, size = rest.rpartition(";")
    is_count = size.isascii() and size.isdigit() and len(size) <= 18
    if not separator or not is_count or len(digest) != 64 or not _HEX.issuperset(digest):
        return None
    return BlobReference(digest, mime_type, int(size))
