"""Somebody who searches all the time, for tests of what others must not notice."""

from __future__ import annotations

import asyncio

import pytest

from knowledge.engine.knowledge import Knowledge
from tests.knowledge.team import IN_GENERAL


class Searching:
    """Somebody who searches without a pause and remembers every answer that was worse than before."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._next = asyncio.Event()
        self.count = 0
        self.gaps: list[str] = []
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            found = await self._knowledge.search("topic3", IN_GENERAL)
            if found.ways != ("meaning", "words") or found.passages[0].title != "d3":
                self.gaps.append(f"{found.ways} {found.note} {[one.title for one in found.passages]}")
            self.count += 1
            self._next.set()
            await asyncio.sleep(0)

    async def more(self) -> None:
        """Return after some more searches."""
        for _ in range(5):
            self._next.clear()
            waiting = asyncio.ensure_future(self._next.wait())
            await asyncio.wait([waiting, self._task], timeout=60, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                waiting.cancel()
                pytest.fail(f"nobody searches any more: {self._task}")

    async def end(self) -> None:
        """Stop; raises what a search raised."""
        self._task.cancel()
        [ended] = await asyncio.gather(self._task, return_exceptions=True)
        assert isinstance(ended, asyncio.CancelledError), ended
