""" "Why was I asked?" and which tools an agent cannot use at all, answered from the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from rules.engine.conditions import Check
    from rules.engine.facts import CallFacts
    from rules.engine.ruleset import Compiled, RuleSet


def why_not_alone(rules: RuleSet, facts: CallFacts) -> str:
    """The nearest rule that would allow the call and the first of its conditions that failed, in one sentence.

    Nearest: the one of which the fewest conditions failed, the first in the files among equals.
    """
    if facts.always_asked:
        return f"What {facts.tool} does is always decided by people."
    allowing = rules.candidates(facts.agent, facts.tool, facts.effect).allow
    if not allowing:
        return f"No rule lets {facts.agent} use {facts.tool} without asking."
    nearest = min(allowing, key=lambda each: len(_failing(each, facts)))
    failing = _failing(nearest, facts)
    if not failing:
        return f"Rule {nearest.rule.id} would allow it alone, but a rule that asks goes first."
    return f"Rule {nearest.rule.id} would allow it alone, but {failing[0].failed(facts)}."


def _failing(each: Compiled, facts: CallFacts) -> list[Check]:
    return [check for check in each.checks if not check.holds(facts)]


def always_denied(rules: RuleSet, agent: str, tool: str, effect: str | None, facts: Callable[[], CallFacts]) -> bool:
    """Whether a rule denies the tool whatever the arguments: it is then not shown to the agent's model.

    `facts` gives those of the run; arguments, time and what was read are not looked at.
    """
    if effect is None:
        return True
    denying = rules.candidates(agent, tool, effect).deny
    if not denying:
        return False
    known = facts()
    return any(all(not check.of_call and check.holds(known) for check in each.checks) for each in denying)
