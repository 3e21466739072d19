"""References to content that was taken out of telemetry."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.model.blob import BlobReference, format_reference, parse_reference

HEX = "0123456789abcdef" * 4


@given(
    st.text("0123456789abcdef", min_size=64, max_size=64),
    st.sampled_from(["image/png", "audio/ogg; codecs=opus", ""]),
    st.integers(0, 2**50),
)
def test_a_reference_comes_back_as_it_was_written(digest: str, mime: str, size: int) -> None:
    reference = BlobReference(digest, mime, size)
    assert parse_reference(format_reference(reference)) == reference


def test_the_format_is_fixed() -> None:
    written = format_reference(BlobReference(HEX, "image/png", 7))
    assert written == f"vagus-blob:sha256:{HEX};image/png;7"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "data:image/png;base64,AAAA",
        "vagus-blob:sha256:",
        f"vagus-blob:sha256:{HEX}",
        f"vagus-blob:sha256:{HEX};7",
        f"vagus-blob:sha256:{HEX};image/png;-7",
        f"vagus-blob:sha256:{HEX};image/png;7 ",
        f"vagus-blob:sha256:{HEX[:-1]}g;image/png;7",
        f"vagus-blob:sha256:{HEX.upper()};image/png;7",
        f"vagus-blob:sha256:../../{HEX[6:]};image/png;7",
        f"vagus-blob:sha256:{HEX};{'x' * 600};7",
    ],
)
def test_anything_else_is_no_reference(text: str) -> None:
    assert parse_reference(text) is None


@given(st.text())
def test_any_text_is_a_reference_or_not(text: str) -> None:
    parse_reference("vagus-blob:sha256:" + text)
