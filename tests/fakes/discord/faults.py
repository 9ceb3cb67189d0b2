"""What can go wrong with a call: faults on demand, and the rate limits that Discord tells in its headers."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from dataclasses import dataclass, field
from random import Random  # noqa: TID251  seeded by whoever asks for a storm

# "drop" and "500_after" do the work and lose the answer; "drop_before" and "500" do nothing.
KINDS = frozenset({"429", "500", "500_after", "drop", "drop_before"})
ERRORS = {
    "10003": (404, "Unknown Channel"),
    "10008": (404, "Unknown Message"),
    "50001": (403, "Missing Access"),
    "50007": (403, "Cannot send messages to this user"),
    "50013": (403, "Missing Permissions"),
}


class Faults:
    """Faults to come, by operation ("post", "edit", ...); `*` is any operation."""

    def __init__(self) -> None:
        self.retry_after = 0.05
        self._next: defaultdict[str, deque[str]] = defaultdict(deque)
        self._storm: tuple[Random, float] | None = None

    def fail(self, operation: str, kind: str, times: int = 1) -> None:
        """Make the next `times` calls fail; a kind that is not in KINDS is an error code of Discord."""
        self._next[operation].extend([kind] * times)

    def storm(self, random: Random, share: float) -> None:
        """Let that share of all calls fail in one of the ways, until healed."""
        self._storm = (random, share)

    def heal(self) -> None:
        """Nothing fails any more."""
        self._next.clear()
        self._storm = None

    def take(self, operation: str) -> str:
        """The fault of this call, or nothing."""
        for name in (operation, "*"):
            if self._next.get(name):
                return self._next[name].popleft()
        if self._storm is not None and self._storm[0].random() < self._storm[1]:
            return self._storm[0].choice(sorted(KINDS))
        return ""


@dataclass(kw_only=True)
class Window:
    """A bucket: how many calls until when."""

    ends: float = 0.0
    used: int = 0


@dataclass(kw_only=True)
class Limits:
    """Rate limits: of each operation within a channel or for a webhook, and of everything together.

    They are what the service is known to do today; nothing may depend on the numbers, which come in the headers.
    """

    buckets: dict[str, tuple[int, float]] = field(default_factory=dict)  # operation -> calls, seconds
    everything: tuple[int, float] | None = None
    exceeded: int = 0  # times that somebody was told 429 for it
    _windows: defaultdict[tuple[str, str], Window] = field(default_factory=lambda: defaultdict(Window))

    def as_the_real_one(self) -> None:
        """Limits as observed on the real service."""
        self.buckets = {
            "post": (5, 5.0),
            "edit": (5, 5.0),
            "react": (1, 0.25),
            "typing": (5, 5.0),
            "thread": (10, 10.0),
        }
        self.everything = (50, 1.0)

    def take(self, operation: str, major: str) -> tuple[dict[str, str], float, bool]:
        """Count a call: headers of the answer, seconds to wait if it is one too many, and whether for everything."""
        now = asyncio.get_running_loop().time()
        if self.everything is not None:
            window = self._window(("*", ""), self.everything[1], now)
            if window.used >= self.everything[0]:
                self.exceeded += 1
                return {}, window.ends - now, True
            window.used += 1
        if operation not in self.buckets:
            return {}, 0.0, False
        calls, seconds = self.buckets[operation]
        window = self._window((operation, major), seconds, now)
        wait = 0.0
        if window.used >= calls:
            self.exceeded += 1
            wait = window.ends - now
        else:
            window.used += 1
        headers = {
            "X-RateLimit-Limit": str(calls),
            "X-RateLimit-Remaining": str(calls - window.used),
            "X-RateLimit-Reset-After": f"{window.ends - now:.3f}",
            "X-RateLimit-Bucket": f"bucket-of-{operation}",
        }
        return headers, wait, False

    def _window(self, key: tuple[str, str], seconds: float, now: float) -> Window:
        window = self._windows[key]
        if window.ends <= now:
            window.ends, window.used = now + seconds, 0
        return window
