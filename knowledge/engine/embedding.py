"""What turns texts into vectors: the seam, the one that ships for tests, and the list of those that can be named."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Protocol

from kernel.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]  # shape (texts, dimension), each row of length 1


class Embedder(Protocol):
    """A model for embeddings. Used from two threads at once."""

    name: str  # stored beside every vector; another name means other vectors
    dimension: int

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One vector of length 1 per text. The same text gives the same vector, whatever else is in the list."""
        ...


class WordEmbedder:
    """A test double: texts that share words are close. Each word points in a direction of its own."""

    name = "words-64"
    dimension = 64

    def embed(self, texts: Sequence[str]) -> Vectors:
        import numpy as np

        made = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in zip(made, texts, strict=True):
            row[0] = 0.01  # a text without words has a direction too
            for word in re.findall(r"\w+", text.lower()):
                digest = hashlib.sha256(word.encode()).digest()
                row[digest[0] % self.dimension] += 1.0 if digest[1] % 2 else -1.0
                row[digest[2] % self.dimension] += 1.0 if digest[3] % 2 else -1.0
        length = np.linalg.norm(made, axis=1, keepdims=True)
        return (made / np.where(length > 0, length, 1)).astype(np.float32)


MINILM, WORDS = "minilm", "words"
DIMENSIONS = {MINILM: 384, WORDS: WordEmbedder.dimension}
NAMES = {MINILM: "all-MiniLM-L6-v2/int8-1", WORDS: WordEmbedder.name}


def load_embedder(kind: str) -> Embedder:
    """The embedder that configuration calls `kind`. Takes a moment and some memory; ConfigError for an unknown one."""
    if kind == WORDS:
        return WordEmbedder()
    if kind == MINILM:
        from knowledge.engine.minilm import MiniLm

        return MiniLm()
    raise ConfigError(f"There is no embedding model {kind!r}.", hint=f"Known: {', '.join(NAMES)}.")
