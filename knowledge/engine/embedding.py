"""What turns texts into vectors: the seam, which models can be chosen, and the one that ships for tests."""

from __future__ import annotations

import functools
import hashlib
import re
from typing import TYPE_CHECKING, Literal, Protocol

from pydantic import Field, ValidationError, model_validator

from kernel.errors import ConfigError
from kernel.types import Frozen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]  # shape (texts, dimension), each row of length 1

MINILM, MINILM_WHOLE, WORDS = "minilm", "minilm-fp32", "words"
OWN = {MINILM: ("all-MiniLM-L6-v2/int8-1", 384), MINILM_WHOLE: ("all-MiniLM-L6-v2/fp32", 384), WORDS: ("words-64", 64)}
Provider = Literal["minilm", "minilm-fp32", "words", "voyage", "openai", "ollama"]


class Embedder(Protocol):
    """A model for embeddings. Used from two threads at once."""

    name: str  # stored beside every vector; another name means other vectors
    dimension: int

    def embed(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        """One vector of length 1 per text. The same text gives the same vector, whatever else is in the list.

        `query`: the texts are questions; some models treat these differently. VectorsFailed where a service fails.
        """
        ...


class TokenEmbedder(Embedder, Protocol):
    """A model that also gives the vector of each token: passages can then be compared word by word."""

    def tokens(self, text: str) -> Vectors:
        """Vectors of length 1, shape (tokens, dimension)."""
        ...


class EmbeddingChoice(Frozen):
    """Which model embeds, as the charter's sources.yaml says under `embeddings`."""

    provider: Provider = "minilm"
    model: str = ""  # the service's name of the model
    url: str = ""  # base address of the service, where it is not the provider's own
    dimension: int = Field(default=0, ge=0, le=8192)  # of the service's vectors
    key: str = ""  # name of the secret with the key for the service

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.provider in OWN:
            if self.model or self.url or self.dimension or self.key:
                raise ValueError(f"{self.provider} is built in and takes no further settings")
        elif not self.model or not self.dimension:
            raise ValueError(f"{self.provider} needs the model's name and its dimension")
        return self

    @property
    def name(self) -> str:
        """What stands beside every vector: the model and its dimension."""
        return OWN[self.provider][0] if self.provider in OWN else f"{self.provider}:{self.model}/{self.dimension}"

    @property
    def size(self) -> int:
        """The dimension of the vectors."""
        return OWN[self.provider][1] if self.provider in OWN else self.dimension

    @property
    def spec(self) -> str:
        """The choice as one text, for the process that embeds."""
        return self.model_dump_json(exclude_defaults=True)


def choice_of(spec: str) -> EmbeddingChoice:
    """The choice in a spec, or a provider's bare name. ConfigError for one that is not known."""
    try:
        return (
            EmbeddingChoice.model_validate_json(spec)
            if spec.startswith("{")
            else EmbeddingChoice.model_validate({"provider": spec})
        )
    except ValidationError as error:
        known = ", ".join([*OWN, "voyage", "openai", "ollama"])
        raise ConfigError(f"There is no embedding model {spec!r}.", hint=f"Known: {known}.") from error


class WordEmbedder:
    """A test double: texts that share words are close. Each word points in a direction of its own."""

    name = OWN[WORDS][0]
    dimension = OWN[WORDS][1]

    def embed(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
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

    def tokens(self, text: str) -> Vectors:
        """One vector for each word."""
        return self.embed(re.findall(r"\w+", text.lower()) or [""])


def load_embedder(choice: EmbeddingChoice, secrets: Mapping[str, str]) -> Embedder:
    """The embedder of a choice. Takes a moment and some memory; ConfigError where something of it is missing."""
    if choice.provider == WORDS:
        return WordEmbedder()
    if choice.provider in OWN:
        return _minilm(whole=choice.provider == MINILM_WHOLE)
    from knowledge.engine.embedding_services import service

    return service(choice, secrets)


@functools.cache
def _minilm(*, whole: bool) -> Embedder:
    """Loaded once in a process, which takes a second: it holds nothing but its weights."""
    from knowledge.engine.minilm import MiniLm

    own: Embedder = MiniLm(whole=whole)
    return own
