"""What approvals work with, bound once by the composition root."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rules.engine.seen import Indexes

if TYPE_CHECKING:
    from kernel.clock import Clock, Ids
    from kernel.people import Directory
    from kernel.store import Store
    from rules.engine.rulebook import RuleBook
    from rules.engine.surroundings import Source
    from rules.engine.tooling import Tools


@dataclass(frozen=True, kw_only=True)
class Services:
    """The surroundings of the door and of the approvals."""

    store: Store
    clock: Clock
    ids: Ids
    directory: Directory
    rules: RuleBook
    tools: Tools
    sources: tuple[Source, ...] = ()  # what decisions look at beside the call: budgets, permissions, promotions
    fallback_channel: str = ""  # "#approvals": gets the card of a request from a DM whose rule names no channel
    seen: Indexes = field(default_factory=Indexes)  # of what the runs at work have read
