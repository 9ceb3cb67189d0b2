"""The decision about one call: a pure function of the rules and of the facts. No clock, no I/O, no model."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernel.types import Decision, Json
from rules.engine.policy import Policy, strictest

if TYPE_CHECKING:
    from rules.engine.facts import CallFacts
    from rules.engine.ruleset import Compiled, RuleSet

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What the rules say to one call, and which of them."""

    decision: Decision
    rules: tuple[str, ...]  # ids of the deciding rules; empty where none decides
    version: str  # of the rule set
    reason: str  # one sentence for people
    policy: Policy | None = None  # for `ask`: who has to agree

    def record(self) -> Json:
        """What is stored of it, as JSON."""
        return {
            "decision": self.decision,
            "rules": list(self.rules),
            "version": self.version,
            "reason": self.reason,
        }


def decide(rules: RuleSet, facts: CallFacts) -> Verdict:
    """Deny, then ask, then allow, then `otherwise`, then the default: ask for everything but `read`.

    Never raises: what cannot be judged is denied. The order of the rules does not matter.
    """
    try:
        return _decide(rules, facts)
    except Exception:
        log.exception("the rules could not be applied to %s", facts.tool)
        return _verdict(rules, "deny", (), "The rules could not be applied to this call; the log says why.")


def _decide(rules: RuleSet, facts: CallFacts) -> Verdict:
    if facts.effect is None:
        return _verdict(rules, "deny", (), f"There is no tool {facts.tool}.")
    known = rules.candidates(facts.agent, facts.tool, facts.effect)
    if found := _holding(known.deny, facts):
        return _verdict(rules, "deny", found)
    if found := _holding(known.ask, facts):
        return _asked(rules, found)
    if found := _holding(known.allow, facts):
        return _verdict(rules, "allow", found)
    if found := _holding(known.otherwise_deny, facts):
        return _verdict(rules, "deny", found)
    if found := _holding(known.otherwise_ask, facts):
        return _asked(rules, found)
    if facts.effect == "read":
        return _verdict(rules, "allow", (), "It only reads, and no rule says otherwise.")
    return Verdict(
        decision="ask",
        rules=(),
        version=rules.version,
        reason=f"No rule decides about {facts.tool} here, so people are asked.",
        policy=rules.fallback,
    )


def _holding(candidates: tuple[Compiled, ...], facts: CallFacts) -> list[Compiled]:
    return [each for each in candidates if each.holds(facts)]


def _asked(rules: RuleSet, found: list[Compiled]) -> Verdict:
    policy = strictest(each.policy or rules.fallback for each in found)
    return _verdict(rules, "ask", found, policy=policy)


def _verdict(
    rules: RuleSet,
    decision: Decision,
    found: list[Compiled] | tuple[()],
    reason: str = "",
    policy: Policy | None = None,
) -> Verdict:
    return Verdict(
        decision=decision,
        rules=tuple(sorted(each.rule.id for each in found)),
        version=rules.version,
        reason=reason or " ".join(each.rule.why for each in found),
        policy=policy,
    )
