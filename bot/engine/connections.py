"""Connects the platforms at the start. One that cannot be reached is tried again; the others do not wait for it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from kernel.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.engine.adapter import Adapter, Receiver

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds between two tries
PATIENCE = 10.0  # seconds that the start waits for a platform

log = logging.getLogger(__name__)


class Reached(Generic[T]):
    """An attribute of an adapter that it has once it has reached its platform; before that, PlatformError."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, adapter: None, owner: type) -> Reached[T]: ...
    @overload
    def __get__(self, adapter: object, owner: type) -> T: ...

    def __get__(self, adapter: Any, owner: type) -> T | Reached[T]:
        if adapter is None:
            return self
        try:
            found: T = adapter.__dict__[self.name]
        except KeyError:
            raise PlatformError(f"{adapter.platform.capitalize()} has not been reached since the start.") from None
        return found

    def __set__(self, adapter: object, value: T) -> None:
        adapter.__dict__[self.name] = value


def forget(adapter: object) -> None:
    """After a start that failed half-way: nothing has been reached."""
    for name, value in vars(type(adapter)).items():
        if isinstance(value, Reached):
            adapter.__dict__.pop(name, None)


class Connections:
    """The platforms of this process. `reached` is called for each of them once it is connected."""

    def __init__(self, adapters: Mapping[str, Adapter], reached: Callable[[Adapter], None]) -> None:
        self.adapters = adapters
        self.reached = reached
        self.first_pause = FIRST_PAUSE
        self.patience = PATIENCE
        self.missing: dict[str, str] = {}  # platforms that have not been reached yet, and why
        self._tries: dict[str, asyncio.Task[None]] = {}

    async def open(self, receive: Receiver) -> None:
        """Try all at once; returns when each was reached or is known to be away, or after a while.

        Those that are away are tried on. ConfigError where one of them does not take a token.
        """
        first = []
        for platform, adapter in self.adapters.items():
            tried: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            first.append(tried)
            self.missing[platform] = "no answer yet"
            self._tries[platform] = asyncio.create_task(self._insist(adapter, receive, tried), name=f"reach-{platform}")
        done, slow = await asyncio.wait(first, timeout=self.patience)
        for tried in slow:
            tried.cancel()  # whatever comes of it now is told in the log
        refused = [error for error in (tried.exception() for tried in done) if error is not None]
        if refused:
            await self.close()
            raise refused[0]

    async def all_reached(self) -> None:
        """Wait until every platform is connected."""
        if self._tries:
            await asyncio.wait(self._tries.values())

    async def close(self) -> None:
        """Disconnect, and try no more."""
        for task in self._tries.values():
            task.cancel()
        await self.all_reached()
        for platform, adapter in self.adapters.items():
            if platform not in self.missing:
                await adapter.stop()

    async def _insist(self, adapter: Adapter, receive: Receiver, tried: asyncio.Future[None]) -> None:
        pause = self.first_pause
        while True:
            try:
                await adapter.start(receive)
            except Exception as error:
                if not isinstance(error, PlatformError) and not tried.done():
                    tried.set_exception(error)
                    return
                self.missing[adapter.platform] = str(error)
                log.warning("%s is tried again in %.0f s: %s", adapter.platform, pause, error)
            else:
                del self.missing[adapter.platform]
                self.reached(adapter)
            if not tried.done():
                tried.set_result(None)
            if adapter.platform not in self.missing:
                return
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)
