"""How far an agent gets with a tool without people, whatever the call says: told to people, decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from rules.engine.conditions import During
from rules.engine.policy import strictest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rules.engine.conditions import Check
    from rules.engine.facts import CallFacts
    from rules.engine.policy import Policy
    from rules.engine.ruleset import Candidates, Compiled, RuleSet

Reach: TypeAlias = Literal["alone", "limited", "asks", "never"]  # "limited": it depends on the call


@dataclass(frozen=True, kw_only=True)
class Reached:
    """How far it gets in one kind of run at one time."""

    how: Reach
    policy: Policy | None = None  # whom the rules ask at most; None where none does


def reach(rules: RuleSet, agent: str, tool: str, effect: str | None) -> Reach:
    """What the rules can say to calls of this tool by this agent. Promotions and standing permissions are left out."""
    if effect is None:
        return "never"
    return _summed({found for found, _ in _possible(rules.candidates(agent, tool, effect), effect, _open)})


def reach_in(rules: RuleSet, facts: CallFacts) -> Reached:
    """The same for calls in this run at this time: conditions on them are settled, those on what a call says are not.

    The arguments and origins of `facts` count for nothing.
    """
    if facts.effect is None:
        return Reached(how="never")

    def left(each: Compiled) -> tuple[Check, ...] | None:
        settled = [check for check in each.checks if _is_settled(check)]
        if not all(check.holds(facts) for check in settled):
            return None
        return tuple(check for check in each.checks if not _is_settled(check))

    possible = list(_possible(rules.candidates(facts.agent, facts.tool, facts.effect), facts.effect, left))
    if facts.always_asked:
        possible = [one for one in possible if one[0] != "allow"] or [("ask", None)]
    asking = [each for found, each in possible if found == "ask"]
    policies = [each.policy or rules.fallback if each is not None else rules.fallback for each in asking]
    return Reached(how=_summed({found for found, _ in possible}), policy=strictest(policies) if policies else None)


def _is_settled(check: Check) -> bool:
    return not check.of_call or isinstance(check, During)


def _open(each: Compiled) -> tuple[Check, ...] | None:
    return each.checks


def _possible(
    known: Candidates, effect: str, left: Callable[[Compiled], tuple[Check, ...] | None]
) -> Iterator[tuple[str, Compiled | None]]:
    """What may become of a call, each with the rule that says so; None is what holds without rules.

    `left` gives the checks of a rule that are open; None where it cannot hold.
    """
    in_order = (
        (known.deny, "deny"),
        (known.ask, "ask"),
        (known.allow, "allow"),
        (known.otherwise_deny, "deny"),
        (known.otherwise_ask, "ask"),
    )
    for several, decision in in_order:
        sure = False
        for each in several:
            checks = left(each)
            if checks is not None:
                yield decision, each
                sure = sure or not (checks or each.meters)
        if sure:
            return
    yield "allow" if effect == "read" else "ask", None


def _summed(possible: set[str]) -> Reach:
    if possible == {"allow"}:
        return "alone"
    if "allow" in possible:
        return "limited"
    return "asks" if "ask" in possible else "never"
