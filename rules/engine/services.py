"""What approvals work with, bound once by the composition root."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rules.engine.seen import Indexes

if TYPE_CHECKING:
    from kernel.clock import Clock, Ids
    from kernel.people import DecisionDirectory
    from kernel.store import Store
    from rules.engine.absences import Absences
    from rules.engine.rulebook import RuleBook
    from rules.engine.surroundings import Source
    from rules.engine.tooling import Tools
    from rules.engine.watching import Watcher


CARDS_PER_HOUR = 10
DIGEST_HOUR = 9


@dataclass(frozen=True, kw_only=True)
class Services:
    """The surroundings of the door and of the approvals."""

    store: Store
    clock: Clock
    ids: Ids
    directory: DecisionDirectory
    rules: RuleBook
    tools: Tools
    sources: tuple[Source, ...] = ()  # what decisions look at beside the call: budgets, permissions, promotions
    watchers: tuple[Watcher, ...] = ()  # what is told when a call has its result: promotions
    absences: Absences
    fallback_channel: str = ""  # "#approvals": gets the card of a request from a DM whose rule names no channel
    operators: str = ""  # "#bosun": reads of emergencies
    cards_per_hour: int = CARDS_PER_HOUR  # that one person is sent; what is more waits for the next digest
    digest_hour: int = DIGEST_HOUR  # of the person's day, from which on they are told once what waits for them
    seen: Indexes = field(default_factory=Indexes)  # of what the runs at work have read
