"""What a decision looks at beside the call and its run: budgets, standing permissions, promotions.

Each source knows one of these and is registered with the services; the rules themselves look nothing up.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.store import Session
    from rules.engine.facts import CallFacts
    from rules.engine.ruleset import RuleSet
    from rules.engine.services import Services


class Source(Protocol):
    """Knows something that rules ask for."""

    def concerns(self, rules: RuleSet, facts: CallFacts) -> bool:
        """Whether a rule for this call asks for it. Cheap: no I/O, most calls need nothing."""
        ...

    def known(self, session: Session, rules: RuleSet, facts: CallFacts) -> Mapping[str, object]:
        """Fields of `CallFacts` with what is known now. What is left out counts as not known."""
        ...


def complete(services: Services, session: Session, rules: RuleSet, facts: CallFacts) -> CallFacts:
    """The facts with what all sources know, within the caller's transaction. `rules` are those that will decide."""
    found: dict[str, object] = {}
    for source in services.sources:
        if source.concerns(rules, facts):
            found.update(source.known(session, rules, facts))
    return replace(facts, **found) if found else facts  # type: ignore[arg-type]  # by name, as the sources promise


def asked(services: Services, session: Session, rules: RuleSet, facts: CallFacts) -> CallFacts:
    """The same for a call about which people are asked already: no permission answers in their place."""
    return replace(complete(services, session, rules, facts), grants=())


async def completed(services: Services, rules: RuleSet, facts: CallFacts) -> CallFacts:
    """The same in a transaction of its own, which is opened only where there is something to look up."""
    if not any(source.concerns(rules, facts) for source in services.sources):
        return facts
    return await services.store.read(lambda session: complete(services, session, rules, facts))
