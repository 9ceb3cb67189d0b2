"""Embedding services on this machine: OpenAI's, Voyage's and Ollama's way to be asked, with their rules."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from knowledge.engine.embedding import WordEmbedder
from tests.knowledge.loopback import Loopback

KEY = "hidden-word"
WORDS: dict[str, set[str]] = {
    "/openai/embeddings": {"model", "input", "encoding_format"},
    "/voyage/embeddings": {"model", "input", "input_type", "output_dimension"},
    "/ollama/api/embed": {"model", "input"},
}


@dataclass
class EmbeddingServer(Loopback):
    """Texts that share words are close. Whatever a request may not be is answered with 400."""

    asked: list[dict[str, Any]] = field(default_factory=list)  # bodies that were accepted
    failing: deque[tuple[int, dict[str, str]]] = field(default_factory=deque)  # status and headers of the next answers
    open: asyncio.Event = field(default_factory=asyncio.Event)  # cleared: requests for documents wait
    waiting: asyncio.Event = field(default_factory=asyncio.Event)  # one does
    dimension: int = WordEmbedder.dimension
    method = "POST"

    def __post_init__(self) -> None:
        self.open.set()

    async def __aexit__(self, *ended: object) -> None:
        self.open.set()
        await super().__aexit__(*ended)

    async def _answer(self, request: web.Request) -> web.Response:
        if self.failing:
            status, headers = self.failing.popleft()
            return web.Response(status=status, headers=headers)
        local = request.path.startswith("/ollama")
        if not local and request.headers.get("authorization") != f"Bearer {KEY}":
            return web.Response(status=401)
        body = await request.json()
        if set(body) != WORDS.get(request.path) or not all(body["input"]):
            return web.Response(status=400)
        self.asked.append(body)
        if body.get("input_type") != "query" and len(body["input"]) > 1:
            self.waiting.set()
            await self.open.wait()
        vectors = WordEmbedder().embed(body["input"])[:, : self.dimension].tolist()
        if local:
            return web.json_response({"embeddings": vectors})
        numbered = [{"index": index, "embedding": vector} for index, vector in enumerate(vectors)]
        return web.json_response({"data": numbered[::-1]})  # the order is not promised
