"""Having events stored, each once: a platform says many things twice, as two events or because an answer was lost."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING

from kernel.errors import StoreError

if TYPE_CHECKING:
    from bot.engine.adapter import Receiver
    from kernel.types import Inbound

REMEMBERED = 4096  # keys; the row's key catches what comes again later


class Once:
    """Stores an event the first time that its key is seen; whoever comes with it meanwhile waits for that."""

    def __init__(self, receive: Receiver) -> None:
        self._receive = receive
        self._stored: OrderedDict[str, asyncio.Future[None]] = OrderedDict()

    async def knows(self, key: str) -> bool:
        """Whether the event with this key is stored: what is on its way there is waited for. Raises StoreError."""
        known = self._stored.get(key)
        if known is not None:
            await asyncio.shield(known)
        return known is not None

    async def store(self, inbound: Inbound) -> None:
        """Have the event stored. Raises StoreError, and the next one with the key tries again."""
        if await self.knows(inbound.key):
            return
        done = self._stored[inbound.key] = asyncio.get_running_loop().create_future()
        try:
            await self._receive(inbound)
        except BaseException as error:
            del self._stored[inbound.key]
            done.set_exception(error if isinstance(error, StoreError) else StoreError(f"It was not stored: {error!r}"))
            done.exception()  # whoever waits has it; nobody else need
            raise
        done.set_result(None)
        if len(self._stored) > REMEMBERED:
            self._stored.popitem(last=False)
