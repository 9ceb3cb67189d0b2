"""The decision about one call: a pure function of the rules and of the facts. No clock, no I/O, no model."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kernel.types import Decision, Json
from rules.engine.meters import Charge, Within
from rules.engine.policy import Policy, strictest

if TYPE_CHECKING:
    from rules.engine.facts import CallFacts, Granted
    from rules.engine.matching import Levels
    from rules.engine.ruleset import Compiled, RuleSet

log = logging.getLogger(__name__)

KNOWN_VERDICTS = 16384
FROM_OUTSIDE = frozenset({"outside_text"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """What rules that only log would have changed."""

    rules: tuple[str, ...]  # ids of the rules that hold
    decision: Decision  # with them in force

    def record(self) -> Json:
        """What is stored of it, as JSON."""
        return {"rules": list(self.rules), "decision": self.decision}


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What the rules say to one call, and which of them."""

    decision: Decision
    rules: tuple[str, ...]  # ids of the deciding rules; empty where none decides
    version: str  # of the rule set
    reason: str  # one sentence for people
    policy: Policy | None = None  # for `ask`: who has to agree
    beyond: str = ""  # key of the budget or limit that the call would go beyond: why it is denied
    grant: str = ""  # reference of the standing permission that answered instead of people
    promoted: bool = False  # allowed by rules that ask, because people have agreed often enough
    trial: Trial | None = None  # None: no rule that only logs holds

    def record(self) -> Json:
        """What is stored of it, as JSON."""
        found: dict[str, Json] = {
            "decision": self.decision,
            "rules": list(self.rules),
            "version": self.version,
            "reason": self.reason,
        }
        if self.beyond:
            found["beyond"] = self.beyond
        if self.grant:
            found["grant"] = self.grant
        if self.promoted:
            found["promoted"] = True
        if self.trial is not None:
            found["log_only"] = self.trial.record()
        return found


def decide(rules: RuleSet, facts: CallFacts) -> Verdict:
    """Deny, then ask, then allow, then `otherwise`, then the default: ask for everything but `read`.

    A tool that is always asked is never allowed by a rule, a promotion or a permission.

    Never raises: what cannot be judged is denied. The order of the rules does not matter.
    """
    try:
        return _decide(rules, facts)
    except Exception:
        log.exception("the rules could not be applied to %s", facts.tool)
        return _verdict(rules, "deny", (), "The rules could not be applied to this call; the log says why.")


def charges(rules: RuleSet, verdict: Verdict, facts: CallFacts) -> tuple[Charge, ...]:
    """What the call uses of the budgets and limits of the rules that decided. Costs of the model are not among them."""
    meters = [meter for meter in rules.meters(facts.agent, facts.tool, facts.effect) if meter.rule in verdict.rules]
    found = [(meter, meter.account(facts), meter.adds(facts.arguments)) for meter in meters if meter.kind != "cost"]
    return tuple(
        Charge(meter=meter, account=account, amount=amount)
        for meter, account, amount in found
        if account is not None and amount is not None
    )


def from_outside(facts: CallFacts) -> bool:
    """Whether some value of the call stands only in text that somebody outside wrote."""
    return any(found == FROM_OUTSIDE for known in facts.origins.values() for found in known)


def _decide(rules: RuleSet, facts: CallFacts) -> Verdict:
    if facts.effect is None:
        return _verdict(rules, "deny", (), f"There is no tool {facts.tool}.")
    known = rules.levels(facts)
    verdict = _apply(rules, known, facts)
    if known.trial is None or known.log_only is None:
        return verdict
    logging_only = known.log_only.holding(facts)
    if not logging_only:
        return verdict
    tried = _apply(rules, known.trial, facts)
    ids = tuple(sorted(each.rule.id for each in logging_only))
    return replace(verdict, trial=Trial(rules=ids, decision=tried.decision))


def _apply(rules: RuleSet, known: Levels, facts: CallFacts) -> Verdict:
    if known.deny is not None and (found := known.deny.holding(facts)):
        return _verdict(rules, "deny", found)
    if known.ask is not None and (found := known.ask.holding(facts)):
        return _asked(rules, found, facts)
    if known.allow is not None and not facts.always_asked and (found := known.allow.holding(facts)):
        return _verdict(rules, "allow", found)
    if known.otherwise_deny is not None and (found := known.otherwise_deny.holding(facts)):
        denied = _verdict(rules, "deny", found)
        beyond = "" if known.allow is None or facts.always_asked else _raisable(rules, facts)
        return replace(denied, beyond=beyond) if beyond else denied
    if known.otherwise_ask is not None and (found := known.otherwise_ask.holding(facts)):
        return _asked(rules, found, facts)
    if facts.effect == "read":
        return _verdict(rules, "allow", (), "It only reads, and no rule says otherwise.")
    reason = f"No rule decides about {facts.tool} here, so people are asked."
    return _granted(rules, (), facts, rules.fallback) or _verdict(rules, "ask", (), reason, rules.fallback)


def _raisable(rules: RuleSet, facts: CallFacts) -> str:
    """Key of the budget that alone keeps a rule from allowing the call, where somebody owns it: they may raise it."""
    for each in rules.candidates(facts.agent, facts.tool, facts.effect).allow:
        failing = [check for check in each.checks if not check.holds(facts)] if each.meters else []
        if len(failing) == 1 and isinstance(failing[0], Within) and failing[0].meter.owner:
            return failing[0].meter.key
    return ""


def _asked(rules: RuleSet, found: list[Compiled], facts: CallFacts) -> Verdict:
    """Ask, unless a budget of a rule that asks is used up, the rules are promoted, or a permission stands."""
    for each in found:
        beyond = next((meter for meter in each.meters if meter.fits(facts) is not True), None)
        if beyond is not None:
            told = beyond.told(facts)
            return replace(_verdict(rules, "deny", [each], f"{told[0].upper()}{told[1:]}."), beyond=beyond.key)
    asking = [each for each in found if not _is_promoted(each, facts)] if facts.promoted else found
    if not asking:
        return replace(_verdict(rules, "allow", found), promoted=True)
    verdict = _verdict(rules, "ask", asking)
    if not facts.grants or verdict.policy is None:
        return verdict
    return _granted(rules, asking, facts, verdict.policy) or verdict


def _is_promoted(each: Compiled, facts: CallFacts) -> bool:
    """Never for what cannot be undone, nor for values that somebody outside brought in."""
    return (
        each.rule.promote is not None
        and each.rule.id in facts.promoted
        and facts.effect != "destroy"
        and not facts.always_asked
        and not from_outside(facts)
    )


def _granted(rules: RuleSet, found: list[Compiled] | tuple[()], facts: CallFacts, policy: Policy) -> Verdict | None:
    """Allowed by the first standing permission that was given by the people whom the rules would ask.

    Never what cannot be undone.
    """
    if facts.always_asked or facts.effect == "destroy":
        return None
    grant = next((grant for grant in facts.grants if _covers(grant, policy)), None)
    if grant is None:
        return None
    reason = f"A standing permission covers it: {grant.ref}, {grant.told}."
    return replace(_verdict(rules, "allow", found, reason), grant=grant.ref)


def _covers(grant: Granted, policy: Policy) -> bool:
    return policy.grant is not None and not policy.confirm and policy.within(grant.policy)


def _verdict(
    rules: RuleSet,
    decision: Decision,
    found: list[Compiled] | tuple[()],
    reason: str = "",
    policy: Policy | None = None,
) -> Verdict:
    """The verdict by these rules. Where they ask and `policy` is not given, it is the strictest of theirs.

    What says the same is the same value: making one costs more than finding the rules.
    """
    key = (decision, reason, *[each.rule.id for each in found])
    known = rules.verdicts.get(key)
    if known is not None:
        return known
    if decision == "ask" and policy is None:
        policy = strictest(each.policy or rules.fallback for each in found)
    made = Verdict(
        decision=decision,
        rules=tuple(sorted(each.rule.id for each in found)),
        version=rules.version,
        reason=reason or " ".join(each.rule.why for each in found),
        policy=policy,
    )
    if len(rules.verdicts) >= KNOWN_VERDICTS:
        rules.verdicts.clear()
    rules.verdicts[key] = made
    return made
