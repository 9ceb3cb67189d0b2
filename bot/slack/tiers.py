"""Slack counts most methods by the minute and workspace; signs keep below that, so that nothing is ever refused."""

from __future__ import annotations

import asyncio
from collections import defaultdict

PER_MINUTE = 44  # calls of a method of tier 3, of which Slack takes "50+" a minute (docs.slack.dev, rate limits)
AT_ONCE = 5  # after a pause; together with the rate still below 50 in any minute


class Tier:
    """The rate of every method for itself: `AT_ONCE` calls after a pause, in the long run `PER_MINUTE`."""

    def __init__(self, per_minute: int = PER_MINUTE, at_once: int = AT_ONCE) -> None:
        self.gap = 60.0 / per_minute
        self.ahead = (at_once - 1) * self.gap  # seconds that calls may run ahead of the rate
        self._due: defaultdict[str, float] = defaultdict(float)  # method -> loop time of the next call by rate alone

    def spare(self, method: str, keep: float = 0.0) -> bool:
        """Take a place only where there is one at once, and that share of the burst is left for others."""
        now = asyncio.get_running_loop().time()
        due = max(self._due[method], now)
        if due - now > self.ahead * (1.0 - keep):
            return False
        self._due[method] = due + self.gap
        return True

    def wait(self, method: str) -> float:
        """Take the next place; seconds until it comes."""
        now = asyncio.get_running_loop().time()
        due = max(self._due[method], now)
        self._due[method] = due + self.gap
        return max(0.0, due - now - self.ahead)
