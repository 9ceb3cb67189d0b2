"""A call to a platform for whose answer a person waits is tried again at once where the connection failed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from kernel.errors import OutcomeUnknown, PlatformError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

PAUSES = (0.1, 0.4)  # seconds before the second and the third try
PASSING = frozenset({PlatformError, OutcomeUnknown})  # what carries no refusal: errors of servers and connections


def is_passing(error: BaseException) -> bool:
    """Whether the same call may well succeed the next time: nobody refused it."""
    return type(error) in PASSING


async def insist(call: Callable[[], Awaitable[T]]) -> T:
    """Make a call that may be made twice, up to three times. The last PlatformError where none of them succeeds."""
    for pause in PAUSES:
        try:
            return await call()
        except PlatformError as error:
            if not is_passing(error):
                raise
        await asyncio.sleep(pause)
    return await call()
