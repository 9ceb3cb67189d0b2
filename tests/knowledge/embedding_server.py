"""Embedding services on this machine: OpenAI's, Voyage's and Ollama's way to be asked, with their rules."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from knowledge.engine.embedding import WordEmbedder

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

KEY = "hidden-word"
WORDS: dict[str, set[str]] = {
    "/openai/embeddings": {"model", "input", "encoding_format"},
    "/voyage/embeddings": {"model", "input", "input_type", "output_dimension"},
    "/ollama/api/embed": {"model", "input"},
}


@dataclass
class EmbeddingServer:
    """Texts that share words are close. Whatever a request may not be is answered with 400."""

    asked: list[dict[str, Any]] = field(default_factory=list)  # bodies that were accepted
    failing: deque[tuple[int, dict[str, str]]] = field(default_factory=deque)  # status and headers of the next answers
    open: asyncio.Event = field(default_factory=asyncio.Event)  # cleared: requests for documents wait
    waiting: asyncio.Event = field(default_factory=asyncio.Event)  # one does
    dimension: int = WordEmbedder.dimension
    url: str = ""

    async def __aenter__(self) -> Self:
        self.open.set()
        app = web.Application()
        app.router.add_post("/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=1)
        await self._runner.setup()
        place = web.TCPSite(self._runner, "127.0.0.1", 0)
        await place.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.open.set()
        await self._runner.cleanup()

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
