"""What an agent may do with a tool, in words: which rules decide, and what holds where none does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rules.engine.ruleset import Compiled, RuleSet


def rights_in_words(rules: RuleSet, agent: str, tool: str, effect: str) -> str:
    """The rules that can decide about the tool of the agent, by what they decide, then what holds otherwise."""
    known = rules.candidates(agent, tool, effect)
    never = next((each for each in known.deny if not each.checks), None)
    if never is not None:
        return f"never (`{never.rule.id}`)"
    in_order = (
        ("never", known.deny),
        ("asks", known.ask),
        ("alone", known.allow),
        ("else never", known.otherwise_deny),
        ("else asks", known.otherwise_ask),
    )
    said = []
    for what, several in in_order:
        said += [_named(what, several)] if several else []
        if any(not each.checks for each in several):  # it decides whatever is left: no weaker rule ever does
            return "; ".join(said)
    default = "alone" if effect == "read" else "asks an admin"
    said.append(f"else {default}" if said else f"{default} (no rule)")
    return "; ".join(said)


def _named(what: str, rules: Iterable[Compiled]) -> str:
    return f"{what}: {', '.join(f'`{each.rule.id}`' for each in rules)}"
