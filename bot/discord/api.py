"""What failures of Discord's API mean to the sender, and how fast the API may be called."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import discord

from kernel.errors import OutcomeUnknown, PlatformError, RateLimited, TargetGone

CHANNEL_GONE, MESSAGE_GONE, MEMBER_GONE, USER_GONE = 10003, 10008, 10007, 10013
NO_ACCESS, NO_DM, NO_PERMISSION, NOT_A_TEXT_CHANNEL = 50001, 50007, 50013, 50008
THREAD_ARCHIVED, THREAD_EXISTS = 50083, 160004
ANSWERED = 40060  # an interaction
GONE = frozenset(
    {CHANNEL_GONE, MESSAGE_GONE, USER_GONE, NO_ACCESS, NO_DM, NO_PERMISSION, NOT_A_TEXT_CHANNEL, THREAD_ARCHIVED}
)


class DiscordError(PlatformError):
    """Discord refused a call. `number` is Discord's own code for why, 0 where it gives none."""

    def __init__(self, what: str, number: int, text: str) -> None:
        super().__init__(f"Discord did not {what}: {text or 'no reason given'} ({number}).")
        self.number = number


class GoneError(TargetGone):
    """The channel or message is gone or closed to us. `number` is Discord's own code for why."""

    def __init__(self, what: str, number: int, text: str) -> None:
        super().__init__(f"Discord did not {what}: {text or 'no reason given'} ({number}).")
        self.number = number


def number_of(error: BaseException) -> int:
    """Discord's own code for a refusal, such as 50013; 0 for other errors."""
    return int(getattr(error, "number", 0))


@contextmanager
def calling(what: str, *, unsure: bool = False) -> Iterator[None]:
    """Turns what the library raises into errors of a platform.

    `unsure`: a lost answer means that it may have been done, which is OutcomeUnknown.
    """
    lost = OutcomeUnknown if unsure else PlatformError
    try:
        yield
    except discord.RateLimited as error:
        raise RateLimited(f"Discord asks to wait ({what}).", retry_after=error.retry_after) from error
    except discord.HTTPException as error:
        if error.status == 429:
            raise RateLimited(f"Discord asks to wait ({what}).", retry_after=5.0) from error
        if error.status >= 500:
            raise lost(f"Discord answered with HTTP {error.status} ({what}).") from error
        kind = GoneError if error.code in GONE else DiscordError
        raise kind(what, error.code, error.text) from error
    except aiohttp.ClientConnectorError as error:
        raise PlatformError(f"Discord cannot be reached ({what}): {error}") from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        words = str(error) or type(error).__name__
        raise lost(f"The connection to Discord broke ({what}): {words}") from error


class Pace:
    """All calls of this bot together: at most `per_second` in any second, as Discord counts them."""

    def __init__(self, per_second: int) -> None:
        self.gap = 1.0 / per_second
        self.burst = per_second * 0.2  # calls at once after a pause
        self._next = 0.0  # loop time at which the next call is due by the rate alone

    async def take(self) -> None:
        """Wait for the next free place in the order of asking."""
        wait = self._reserve()
        if wait > 0:
            await asyncio.sleep(wait)

    def spare(self) -> bool:
        """Take a place only where there is one at once: for signs that are not worth waiting for."""
        now = asyncio.get_running_loop().time()
        if self._next > now:
            return False
        self._reserve()
        return True

    def _reserve(self) -> float:
        now = asyncio.get_running_loop().time()
        due = max(self._next, now - self.burst * self.gap)
        self._next = due + self.gap
        return due - now
