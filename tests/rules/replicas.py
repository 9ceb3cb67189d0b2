"""A machine's two replicas of Bosun on one database, and calls to them at the same time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from kernel.store import open_store
from tests.rules.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

replica = st.integers(0, 1)


class Replicas(RuleBasedStateMachine):
    """Both see the same clock and the same team."""

    url: str
    folder: Path
    text: str  # of the rules

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        first = World(open_store(self.url), self.folder)
        second = World(open_store(self.url), self.folder, clock=first.clock, team=first.team)
        self.worlds = [first, second]
        for world in self.worlds:
            world.rules(self.text)

    @property
    def world(self) -> World:
        return self.worlds[0]

    @rule(where=replica)
    def restart(self, where: int) -> None:
        """One of them ends and another takes its place."""
        old = self.worlds[where]
        fresh = World(open_store(self.url), self.folder, clock=old.clock, team=old.team)
        fresh.rules(self.text)
        old.store.close()
        self.worlds[where] = fresh

    def teardown(self) -> None:
        for world in self.worlds:
            world.store.close()
        self.runner.close()


async def together(calls: Iterable[Any], may_fail: type[Exception] | None = None) -> list[Any]:
    found = await asyncio.gather(*calls, return_exceptions=True)
    for each in found:
        if isinstance(each, BaseException) and not (may_fail and isinstance(each, may_fail)):
            raise each
    return found
