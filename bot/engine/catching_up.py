"""Reading on in channels from where they were heard up to, until each of them has been read."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.engine.again import is_passing
from kernel.errors import BosunError, RateLimited, StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from bot.engine.cursors import Cursors

FIRST, LONGEST = 0.5, 60.0  # seconds before what could not be read is tried again; they double

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Behind:
    """A channel or thread in which something was perhaps said."""

    lane: str
    after: str  # the last message that was heard there
    read: Callable[[], Awaitable[int]]  # hands over what came after it; how many messages


class CatchingUp:
    """Catches up with a platform in the background, and once more where there was a gap meanwhile."""

    def __init__(self, title: str, run: Callable[[], Awaitable[int]]) -> None:
        """`title`: what people call the platform. `run` catches up everywhere and returns with how many messages."""
        self._title = title
        self._catch_up = run
        self._task: asyncio.Task[None] | None = None
        self._behind = False  # there is a gap that the catching up may have passed already
        self._again: asyncio.TimerHandle | None = None

    def begin(self, again_in: float = 0.0) -> None:
        """There is a gap, from the last that was heard up to now; where given, up to `again_in` seconds from now."""
        self._behind = True
        if again_in > 0:
            self._drop_again()
            self._again = asyncio.get_running_loop().call_later(again_in, self.begin)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name=f"{self._title}-catch-up")

    async def done(self) -> None:
        """Return once nothing is caught up with any more."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def stop(self) -> None:
        """Break it off: the next start begins where it was."""
        self._drop_again()
        if self._task is not None:
            self._task.cancel()
        await self.done()

    def _drop_again(self) -> None:
        if self._again is not None:
            self._again.cancel()

    async def _run(self) -> None:
        while self._behind:
            self._behind = False
            try:
                count = await self._catch_up()
            except BosunError as error:
                log.warning("What was missed on %s could not be caught up: %s", self._title, error)
            else:
                if count:
                    log.info("Caught up on %d messages from %s.", count, self._title)


async def read_on(channels: Iterable[Behind], cursors: Cursors) -> int:
    """Read them all, in their order; returns how many messages were handed over.

    Until a channel is read it counts as heard up to `after`, whatever is heard there meanwhile. One that cannot be read
    now is read later; one that is closed to us is left out.
    """
    waiting, count, pause = list(channels), 0, FIRST
    for one in waiting:
        cursors.missed(one.lane, one.after)
    while waiting:
        later: list[Behind] = []
        for one in waiting:
            try:
                count += await one.read()
            except BosunError as error:
                log.warning("%s was not caught up: %s", one.lane, error)
                if is_passing(error) or isinstance(error, RateLimited | StoreError):
                    later.append(one)
        kept = {(one.lane, one.after) for one in later}
        for one in waiting:
            if (one.lane, one.after) not in kept:
                cursors.found(one.lane, one.after)
        if later:
            await asyncio.sleep(pause)
        waiting, pause = later, min(2 * pause, LONGEST)
    return count
