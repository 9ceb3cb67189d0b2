"""What can go wrong with a call, on demand: refusals, errors, dropped connections, rate limits."""

from __future__ import annotations

from collections import defaultdict, deque
from random import Random  # noqa: TID251  seeded by whoever asks for a storm
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fakes.slack.world import World

# "drop" and "500_after" do the work and lose the answer; "drop_before" and "500" do nothing.
KINDS = frozenset({"429", "500", "500_after", "drop", "drop_before", "html"})


class Faults:
    """Faults to come, by method; `*` is any method."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.retry_after = 1
        self._next: defaultdict[str, deque[str]] = defaultdict(deque)
        self._storm: tuple[Random, float] | None = None
        self._limits: dict[str, tuple[int, float]] = {}
        self._spent: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)

    def fail(self, method: str, kind: str, times: int = 1) -> None:
        """Make the next `times` calls of `method` fail; a kind that is not in KINDS is an error code of Slack."""
        self._next[method].extend([kind] * times)

    def storm(self, random: Random, share: float) -> None:
        """Let that share of all calls fail in one of the ways, until healed."""
        self._storm = (random, share)

    def limit(self, method: str, calls: int, seconds: float) -> None:
        """Allow `calls` of the method per `seconds` in each channel."""
        self._limits[method] = (calls, seconds)

    def heal(self) -> None:
        """Nothing fails any more."""
        self._next.clear()
        self._limits.clear()
        self._storm = None

    def take(self, method: str, channel: str) -> str:
        """The fault of this call, or nothing."""
        for name in (method, "*"):
            if self._next and self._next.get(name):
                return self._next[name].popleft()
        if self._storm is not None and self._storm[0].random() < self._storm[1]:
            return self._storm[0].choice(sorted(KINDS))
        return "429" if self._limits and self._too_many(method, channel) else ""

    def _too_many(self, method: str, channel: str) -> bool:
        if method not in self._limits:
            return False
        calls, seconds = self._limits[method]
        spent, now = self._spent[method, channel], self.world.now()
        while spent and spent[0] <= now - seconds:
            spent.popleft()
        if len(spent) >= calls:
            return True
        spent.append(now)
        return False
