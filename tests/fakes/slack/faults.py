"""What can go wrong with a call, on demand: refusals, errors, dropped connections, rate limits."""

from __future__ import annotations

from collections import defaultdict, deque
from random import Random  # noqa: TID251  seeded by whoever asks for a storm
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fakes.slack.world import World

# "drop" and "500_after" do the work and lose the answer; "drop_before" and "500" do nothing.
KINDS = frozenset({"429", "500", "500_after", "drop", "drop_before", "html"})

# Calls a minute (docs.slack.dev, rate limits: tier 2 is 20+, tier 3 50+, tier 4 100+).
TIERS = {
    "agents.sessions.rename": 50,
    "agents.sessions.setStatus": 50,
    "chat.appendStream": 100,
    "chat.postEphemeral": 100,
    "chat.startStream": 20,
    "chat.update": 50,
    "conversations.history": 50,
    "conversations.open": 50,
    "conversations.replies": 50,
    "reactions.add": 50,
    "users.info": 100,
    "views.publish": 100,
}


class Faults:
    """Faults to come, by method; `*` is any method."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.retry_after = 1
        self._next: defaultdict[str, deque[str]] = defaultdict(deque)
        self._storm: tuple[Random, float] | None = None
        self._limits: dict[str, tuple[int, float]] = {}
        self._everywhere: dict[str, int] = {}  # method -> calls a minute in the whole workspace
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

    def as_the_real_one(self) -> None:
        """The rates that Slack documents: tiers by method and workspace, posts by channel with short bursts."""
        self.limit("chat.postMessage", 10, 5.0)
        for method, calls in TIERS.items():
            self._everywhere[method] = calls

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
        return "429" if (self._limits or self._everywhere) and self._refused(method, channel) else ""

    def _refused(self, method: str, channel: str) -> bool:
        if method in self._everywhere and self._too_many(method, "", self._everywhere[method], 60.0):
            return True
        return method in self._limits and self._too_many(method, channel, *self._limits[method])

    def _too_many(self, method: str, channel: str, calls: int, seconds: float) -> bool:
        spent, now = self._spent[method, channel], self.world.now()
        while spent and spent[0] <= now - seconds:
            spent.popleft()
        if len(spent) >= calls:
            return True
        spent.append(now)
        return False
