"""How far an agent gets with a tool without people, whatever the call says: told on dashboards, decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from rules.engine.ruleset import Candidates, Compiled, RuleSet

Reach: TypeAlias = Literal["alone", "limited", "asks", "never"]  # "limited": it depends on the call


def reach(rules: RuleSet, agent: str, tool: str, effect: str | None) -> Reach:
    """What the rules can say to calls of this tool by this agent. Promotions and standing permissions are left out."""
    if effect is None:
        return "never"
    possible = _possible(rules.candidates(agent, tool, effect), effect)
    if possible == {"allow"}:
        return "alone"
    if "allow" in possible:
        return "limited"
    return "asks" if "ask" in possible else "never"


def _possible(known: Candidates, effect: str) -> set[str]:
    found: set[str] = set()
    in_order = (
        (known.deny, "deny"),
        (known.ask, "ask"),
        (known.allow, "allow"),
        (known.otherwise_deny, "deny"),
        (known.otherwise_ask, "ask"),
    )
    for rules, decision in in_order:
        if rules:
            found.add(decision)
        if any(_always(each) for each in rules):
            return found
    return found | {"allow" if effect == "read" else "ask"}


def _always(each: Compiled) -> bool:
    return not each.checks and not each.meters
