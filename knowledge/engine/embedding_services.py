"""Embeddings by a service: Voyage, anything that speaks OpenAI's language, Ollama. Plain HTTP, one request a batch."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np

from kernel.errors import ConfigError
from knowledge.engine.vectors import VectorsFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from knowledge.engine.embedding import EmbeddingChoice, Vectors

HOMES = {
    "voyage": "https://api.voyageai.com/v1",
    "openai": "https://api.openai.com/v1",
    "ollama": "http://127.0.0.1:11434",
}
PATHS = {"voyage": "embeddings", "openai": "embeddings", "ollama": "api/embed"}
TIMEOUT = 60.0  # seconds
BATCH = 64  # texts of one request
TRIES = 3
LONGEST_WAIT = 20.0  # seconds between two tries; what takes longer is tried again later by whoever asked
BUSY = frozenset({408, 425, 429, 500, 502, 503, 504, 529})


def service(choice: EmbeddingChoice, secrets: Mapping[str, str]) -> ServiceEmbedder:
    """The embedder for a choice. ConfigError where its key is not set."""
    key = secrets.get(choice.key, "") if choice.key else ""
    if choice.key and not key:
        raise ConfigError(
            f"The embeddings need the secret {choice.key}, which is not set.",
            hint=f"Set {choice.key} or {choice.key}_FILE in the environment.",
        )
    return ServiceEmbedder(choice, key)


class ServiceEmbedder:
    """A model behind HTTP."""

    def __init__(self, choice: EmbeddingChoice, key: str, pause: Callable[[float], None] | None = None) -> None:
        self.name = choice.name
        self.dimension = choice.size
        self._choice = choice
        headers = {"authorization": f"Bearer {key}"} if key else {}
        home = (choice.url or HOMES[choice.provider]).rstrip("/")
        self._address = f"{home}/{PATHS[choice.provider]}"
        self._client = httpx.Client(headers=headers, timeout=TIMEOUT)
        self._pause = pause or time.sleep  # noqa: TID251  in a thread of the vector engine, without a clock of Bosun's

    def embed(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        """One vector of length 1 per text."""
        parts = [self._batch(list(texts[start : start + BATCH]), query) for start in range(0, len(texts), BATCH)]
        made: Vectors = np.concatenate(parts) if parts else np.zeros((0, self.dimension), np.float32)
        return made

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _batch(self, texts: list[str], query: bool) -> Vectors:
        found = _vectors_in(self._asked(self._body(texts, query)))
        made = np.array(found, np.float32)
        if made.shape != (len(texts), self.dimension):
            raise VectorsFailed(
                f"{self.name} gave vectors of the shape {made.shape}, and not {(len(texts), self.dimension)}.",
                hint="Put the model's dimension into sources.yaml.",
            )
        lengths = np.linalg.norm(made, axis=1, keepdims=True)
        scaled: Vectors = made / np.maximum(lengths, 1e-9)
        return scaled

    def _body(self, texts: list[str], query: bool) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self._choice.model, "input": texts}
        if self._choice.provider == "voyage":
            body |= {"input_type": "query" if query else "document", "output_dimension": self.dimension}
        elif self._choice.provider == "openai":
            body |= {"encoding_format": "float"}
        return body

    def _asked(self, body: dict[str, Any]) -> Any:
        said = ""
        for tried in range(TRIES):
            try:
                answer = self._client.post(self._address, json=body)
            except httpx.HTTPError as error:
                said, wait = f"it cannot be reached ({type(error).__name__})", 0.5 * 2**tried
            else:
                if answer.is_success:
                    return _json(answer)
                said, wait = f"HTTP {answer.status_code}", _wait(answer, 0.5 * 2**tried)
                if answer.status_code not in BUSY:
                    break
            if tried + 1 == TRIES or wait > LONGEST_WAIT:
                break
            self._pause(wait)
        raise VectorsFailed(f"The embedding service {self._choice.provider} failed: {said}.")


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise VectorsFailed("The embedding service sent something that is no JSON.") from error


def _wait(answer: httpx.Response, otherwise: float) -> float:
    try:
        return max(0.0, float(answer.headers["retry-after"]))
    except (KeyError, ValueError):
        return otherwise


def _vectors_in(answer: Any) -> list[list[float]]:
    """The vectors, in the order of the texts, from either shape of answer."""
    try:
        if "embeddings" in answer:
            return list(answer["embeddings"])
        return [entry["embedding"] for entry in sorted(answer["data"], key=lambda entry: int(entry["index"]))]
    except (TypeError, KeyError, ValueError) as error:
        raise VectorsFailed("The embedding service sent no vectors.") from error
