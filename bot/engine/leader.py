"""Lets one of several processes do what only one may do at a time: whoever holds a lease that has to be renewed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from kernel.errors import StoreError
from kernel.store import leases

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kernel.store import Store

LEASE = 6.0  # seconds; a dead leader is followed within LEASE + EVERY
EVERY = 1.5  # seconds between two looks

log = logging.getLogger(__name__)


class Leader:
    """Campaigns for one task. `begin` and `end` are called as the lease is won and lost, never both at once."""

    def __init__(
        self,
        store: Store,
        name: str,
        owner: str,
        *,
        begin: Callable[[], Awaitable[None]],
        end: Callable[[], Awaitable[None]],
    ) -> None:
        self.store = store
        self.name = name
        self.owner = owner
        self.begin = begin
        self.end = end
        self.lease = LEASE
        self.every = EVERY
        self.leads = False
        self._held_until = 0.0  # loop time at which the lease has surely run out
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Look once, so that a process that is alone leads when this returns; then go on looking."""
        await self.look()
        self._task = asyncio.create_task(self._campaign(), name=f"leader-{self.name}")

    async def stop(self) -> None:
        """End the task and give the lease back."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self.leads:
            self.leads = False
            await self.end()
            with contextlib.suppress(StoreError):
                await self.store.write(lambda session: leases.give_back(session, self.name, self.owner))

    async def look(self) -> None:
        """Renew the lease or try to win it."""
        now = asyncio.get_running_loop().time()
        try:
            held = await self.store.write(lambda session: leases.take(session, self.name, self.owner, self.lease))
        except StoreError as error:
            log.warning("%s: the lease could not be renewed: %s", self.name, error)
            held = self.leads and now < self._held_until
        else:
            self._held_until = now + self.lease
        if held != self.leads:
            self.leads = held
            log.info("This process %s %s.", "takes over" if held else "gives up", self.name)
            await (self.begin() if held else self.end())

    async def _campaign(self) -> None:
        while True:
            await asyncio.sleep(self.every)
            try:
                await self.look()
            except Exception:
                log.exception("%s could not be taken over", self.name)
