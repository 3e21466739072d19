"""Sentence vectors from the int8 model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vagus.assess.quality.embed import DIMENSIONS, SentenceEmbedder, sentence_embedder
from vagus.errors import InternalError


def test_like_texts_lie_near_and_unlike_ones_far() -> None:
    vectors = sentence_embedder().embed(
        ["How do I get my money back?", "Refund policy", "The weather in Paris is rainy."]
    )
    assert vectors.shape == (3, DIMENSIONS)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1], abs=1e-5)
    near, far = float(vectors[0] @ vectors[1]), float(vectors[0] @ vectors[2])
    assert near > far + 0.3


def test_a_text_gets_the_same_vector_in_any_batch() -> None:
    embedder = sentence_embedder()
    texts = [f"sentence {'word ' * n}" for n in range(1, 30)]
    together = embedder.embed(texts)
    alone = embedder.embed(texts[4:5])
    # Activations are quantised per batch, so vectors agree nearly, not exactly.
    assert float(together[4] @ alone[0]) > 0.97


def test_no_texts_give_no_vectors() -> None:
    assert sentence_embedder().embed([]).shape == (0, DIMENSIONS)


def test_changed_weights_are_refused(tmp_path: Path) -> None:
    changed = tmp_path / "model.onnx"
    changed.write_bytes(b"not the model")
    with pytest.raises(InternalError, match="sha256"):
        SentenceEmbedder(changed)
