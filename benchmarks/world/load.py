"""Puts requests to a subject so that always the same number is in flight, each in a channel that has been quiet."""

from __future__ import annotations

import asyncio
import itertools
from time import monotonic
from typing import TYPE_CHECKING, Any

from benchmarks.world.requests import APPROVAL, MENTION, Kind, Request
from benchmarks.world.slack import PEOPLE

if TYPE_CHECKING:
    from benchmarks.world.slack import Workspace

# Slack takes a post a second in one channel: with fewer channels that rate would be measured.
CHANNELS = 1000
PATIENCE = 60.0  # seconds for one request
TEXT = {MENTION: "when does the shop open? {word}", APPROVAL: "please pay the invoice {word} of Acme Paper"}


class Load:
    """The people of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._numbers = itertools.count(1)

    async def run(self, kind: Kind, count: int, in_flight: int) -> dict[str, Any]:
        """`count` requests, `in_flight` at once. Milliseconds of each, requests a second, and how many were lost."""
        slots = asyncio.Semaphore(in_flight)
        finished: list[Request] = []
        lost: list[str] = []

        async def one(request: Request, number: int) -> None:
            try:
                text = TEXT[request.word[0]].format(word=request.word)
                await self.workspace.mention(request, text, f"U0P{number % PEOPLE:02d}")
                async with asyncio.timeout(PATIENCE):
                    await request.done.wait()
                finished.append(request)
            except TimeoutError:
                lost.append(request.word)
            finally:
                slots.release()

        started = monotonic()
        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                await slots.acquire()
                number = next(self._numbers)
                group.create_task(one(self._request(kind, number), number))
        seconds = max((request.reply or started) for request in finished) - started if finished else 0.0
        self.workspace.forget()
        return {
            "spans": [request.spans() for request in finished],
            "clicks": {request.word: request.clicked_at for request in finished if request.clicked_at is not None},
            "per_second": len(finished) / seconds if seconds else 0.0,
            "lost": lost,
        }

    async def park(self) -> dict[str, Any]:
        """One request with approval whose card nobody answers. Says everything that names it."""
        number = next(self._numbers)
        request = self._request("approval", number)
        request.clicked = False
        await self.workspace.mention(request, TEXT[APPROVAL].format(word=request.word), "U0P00")
        async with asyncio.timeout(PATIENCE):
            await request.parked.wait()
        self.workspace.forget()
        return {"word": request.word, "channel": request.channel, "ts": request.ts, "card": request.card}

    async def click(self, word: str, channel: str, ts: str, card: dict[str, Any]) -> dict[str, Any]:
        """Answer a card from before, and wait for the reply."""
        request = Request(word=word, channel=channel, ts=ts, card=card)
        self.workspace.watch(request)
        await self.workspace.click(request)
        async with asyncio.timeout(PATIENCE):
            await request.done.wait()
        return {"milliseconds": request.spans()["click_reply"]}

    def _request(self, kind: Kind, number: int) -> Request:
        letter = MENTION if kind == "mention" else APPROVAL
        channel = f"C0BENCH{number % CHANNELS:04d}"
        return Request(word=f"{letter}{number:06d}", channel=channel, ts=self.workspace.ts())
