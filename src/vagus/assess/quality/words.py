"""Static word vectors: the WordLlama token table, read in place without importing the package.

Importing `wordllama` pulls in an HTTP client and changes the root logger; only its two data files
are needed. The half-precision table stays memory-mapped, so that only rows in use are resident.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import struct
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from vagus.errors import InternalError

DIMENSIONS = 256

_WEIGHTS = "weights/l2_supercat_256.safetensors"
_TOKENIZER = "tokenizers/l2_supercat_tokenizer_config.json"
_CAPACITY = 20_000
_LONGEST_WORD = 64

Matrix = NDArray[np.float32]


class WordVectors:
    """A vector of length 1 for every word, from the sum of its token vectors; thread-safe."""

    def __init__(self, directory: Path, capacity: int = _CAPACITY) -> None:
        self._table = read_safetensors(directory / _WEIGHTS)
        self._tokenizer = Tokenizer.from_file(str(directory / _TOKENIZER))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._rows: dict[str, int] = {}
        self._vectors = np.zeros((capacity, DIMENSIONS), dtype=np.float16)
        self._lock = threading.Lock()

    def of(self, words: Sequence[str]) -> Matrix:
        """One row per word; an empty word gives zeros."""
        if not words:
            return np.zeros((0, DIMENSIONS), dtype=np.float32)
        with self._lock:
            self._learn(words)
            rows = [self._rows[word] for word in words]
            return self._vectors[rows].astype(np.float32)

    def _learn(self, words: Sequence[str]) -> None:
        new = [word for word in dict.fromkeys(words) if word not in self._rows]
        if len(self._rows) + len(new) > len(self._vectors):
            self._rows.clear()
            new = list(dict.fromkeys(words))
            if len(new) > len(self._vectors):
                raise InternalError(f"{len(new)} words in one text; the limit is {_CAPACITY}")
        if not new:
            return
        encoded = self._tokenizer.encode_batch(
            [word[:_LONGEST_WORD] for word in new], add_special_tokens=False
        )
        for word, tokens in zip(new, encoded, strict=True):
            row = len(self._rows)
            self._vectors[row] = self._pool(tokens.ids)
            self._rows[word] = row

    def _pool(self, ids: list[int]) -> Any:
        if not ids:
            return 0.0
        pooled = self._table[ids].astype(np.float32).mean(axis=0)
        length = float(np.linalg.norm(pooled))
        return pooled / length if length else pooled


def read_safetensors(path: Path) -> NDArray[np.float16]:
    """The embedding table of a safetensors file, mapped into memory."""
    with path.open("rb") as file:
        (header_bytes,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(header_bytes))
    entry = header["embedding.weight"]
    if entry["dtype"] != "F16" or entry["shape"][1] != DIMENSIONS:
        raise InternalError(f"{path} holds {entry['dtype']} {entry['shape']}, expected F16 x 256")
    start, _ = entry["data_offsets"]
    return np.memmap(
        path,
        dtype=np.float16,
        mode="r",
        offset=8 + header_bytes + start,
        shape=tuple(entry["shape"]),
    )


@functools.cache
def word_vectors() -> WordVectors:
    """The vectors of the installed package, loaded at the first use."""
    spec = importlib.util.find_spec("wordllama")
    if spec is None or spec.origin is None:
        raise InternalError("the package wordllama is missing; install vagus[server]")
    return WordVectors(Path(spec.origin).parent)
