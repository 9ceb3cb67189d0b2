"""Quick signs that Bosun has noticed or is at work: a reaction, the thread's working state. Never the only record.

They are sent at once and not stored: one that is lost costs little, and the state is sent again at every change.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.engine.adapter import Sign
from bot.engine.again import insist
from kernel.errors import BosunError, RateLimited
from kernel.store import runs

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

    from bot.engine.adapter import Adapter
    from kernel.clock import Clock
    from kernel.store import Store
    from kernel.types import Actor, Place

log = logging.getLogger(__name__)

SEEN = "eyes"  # the reaction that says: I have it
LASTS = 0.4  # seconds of work after which it is shown that there is work
LASTING = frozenset({"active", "suspended"})  # states that nothing corrects later
LONGEST = 30.0  # seconds that one of them waits where the platform asks for it
AT_ONCE = 16  # signs on their way at the same time; more are dropped rather than queued behind answers


class Signs:
    """Shows signs through the adapters, as their capabilities allow."""

    def __init__(self, store: Store, clock: Clock, adapters: Mapping[str, Adapter]) -> None:
        self.store = store
        self.clock = clock
        self.adapters = adapters
        self._tasks: set[asyncio.Task[None]] = set()
        self._soon: dict[str, asyncio.TimerHandle] = {}  # run -> shows that it is at work, unless it ends first
        self._latest: dict[str, str] = {}  # run that has waited -> its state: something about it stands in its thread
        self._before: dict[str, asyncio.Task[None]] = {}  # thread -> the state on its way; the next one goes after it

    def start(self) -> None:
        """Follow the runs from now on."""
        self.store.on(runs.STATE, self._changed)

    def stop(self) -> None:
        """Begin no more signs."""
        for timer in self._soon.values():
            timer.cancel()
        self._soon.clear()

    def seen(self, place: Place, message: str | None) -> None:
        """We have your message."""
        if message is not None:
            adapter = self._free(place.platform)
            if adapter is not None:
                self._spawn(self._send(adapter.react, Sign(where=place, extra={"name": SEEN, "target": message})))

    def working(self, run_id: str, place: Place, title: str = "", actor: Actor | None = None) -> None:
        """Work in this thread has begun: shown once it lasts, so that a quick answer needs no sign.

        `title`: what a thread in which nothing was said before is to be called. `actor`: who wanted the work.
        """
        if self._has_state(place.platform):
            initiator = actor.user if actor is not None and actor.platform == place.platform else ""
            extra = {"state": "processing", "title": title[:60], "initiator": initiator}
            self._soon[run_id] = asyncio.get_running_loop().call_later(LASTS, self._lasts, run_id, place, extra)

    def _lasts(self, run_id: str, place: Place, extra: dict[str, str]) -> None:
        del self._soon[run_id]
        self._show(place, extra)

    def idle(self, place: Place) -> None:
        """Nothing is being done in this thread, whatever it shows."""
        self._show(place, {"state": "active"})

    def _changed(self, key: str) -> None:
        run_id, _, state = key.partition(":")
        soon = self._soon.pop(run_id, None)
        if soon is not None:
            soon.cancel()
        if state in runs.FINAL and soon is not None and run_id not in self._latest:
            return  # it ended before anything was shown
        self._latest[run_id] = state
        if any(self._has_state(platform) for platform in self.adapters):
            self._spawn(self._follow(run_id, state))

    async def _follow(self, run_id: str, state: str) -> None:
        run = await self.store.read(lambda session: session.get(runs.Run, run_id))
        if run is None or self._latest.get(run_id) != state:  # it has moved on, and that is shown instead
            return
        if state in runs.FINAL:
            del self._latest[run_id]
        if state == runs.QUEUED:
            self.working(run_id, run.where, actor=run.actor)
        else:
            self._show(run.where, {"state": "suspended" if state == runs.WAITING else "active"})

    def _has_state(self, platform: str) -> bool:
        adapter = self.adapters.get(platform)
        return adapter is not None and adapter.capabilities.working_state

    def _free(self, platform: str) -> Adapter | None:
        """The adapter, unless so many signs are on their way that they would hold up answers."""
        return self.adapters.get(platform) if len(self._tasks) <= AT_ONCE else None

    def _show(self, place: Place, extra: dict[str, str]) -> None:
        adapter = self._free(place.platform)
        if adapter is None or not adapter.capabilities.working_state:
            return
        thread = f"{place.lane}:{place.thread}"
        sending = self._send(adapter.status, Sign(where=place, extra=extra), self._before.get(thread))
        task = self._before[thread] = self._spawn(sending)

        def forget(_: asyncio.Task[None]) -> None:
            if self._before.get(thread) is task:
                del self._before[thread]

        task.add_done_callback(forget)

    async def _send(
        self, show: Callable[[Sign], Awaitable[None]], sign: Sign, before: asyncio.Task[None] | None = None
    ) -> None:
        if before is not None:
            await asyncio.wait([before])
        try:
            await self._insist(show, sign)
        except BosunError as error:
            log.debug("sign %s was not shown: %s", sign.extra, error)
        except Exception:
            log.warning("sign %s was not shown", sign.extra, exc_info=True)

    async def _insist(self, show: Callable[[Sign], Awaitable[None]], sign: Sign) -> None:
        """What is not shown now would be missing; and where work has ended, the thread would go on saying "working"."""
        try:
            await insist(lambda: show(sign))
        except RateLimited as error:
            if sign.extra.get("state") not in LASTING or error.retry_after > LONGEST:
                raise
            await asyncio.sleep(error.retry_after)
            await insist(lambda: show(sign))

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
