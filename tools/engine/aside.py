"""Work that blocks, such as the talk of a library with a server, in a thread that nobody waits for too long."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


async def aside(work: Callable[[], T], seconds: float) -> T:
    """What comes of the work. TimeoutError where it takes longer: then it goes on alone, and its result is dropped.

    The thread is none of the pool that everything else shares, and the process ends without it: a server that sends a
    byte now and then holds up neither.
    """
    done: Future[T] = Future()
    context = contextvars.copy_context()

    def run() -> None:
        try:
            done.set_result(context.run(work))
        except BaseException as error:
            done.set_exception(error)

    done.set_running_or_notify_cancel()
    threading.Thread(target=run, name="aside", daemon=True).start()
    async with asyncio.timeout(seconds):
        return await asyncio.wrap_future(done)
