"""What whoever drafts a rule has to know: the words, what there is to be named, and the rules in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from kernel.types import Effect, Origin
from kernel.yaml_lines import did_you_mean
from rules.engine import schema
from rules.engine.rule_files import as_yaml

if TYPE_CHECKING:
    from rules.engine.rulebook import RuleBook

WORDS = """\
Deny goes before ask, ask before allow, allow before `otherwise`; the order never matters. Every rule has `id`, `why` (a
sentence for people) and either `decision: allow|ask|deny` or `otherwise: ask|deny` (only where no other rule decides).
Selectors, all of which have to hold: agent, tool, effect, requester (roles), channel, platform, workflow, attended,
args: {NAME: {is, not, at_most, at_least, matches: glob, length, from: [origins], only_from: [origins]}},
targets: {from: [origins]} (everything that it acts on), links_from: [origins], time: {days, from, until, zone},
context: {outside_text_read, personal_data_read}.
A rule that asks: approval: {who: [roles or requester], need, not_requester, where, expires: 4h, edit,
confirm: type_target, stages: [{who, need, escalate}], escalate: [{after: 2h, to: [roles]}], remind: [2h],
reject: number, batchable: true (the calls of one answer on one card), grant: {calls, for: 30d, same: [arguments]},
delegate: false, break_glass: [roles]}. Of a rule: budget: {amount or cost, per, owner: [roles]}, limit: {calls, per}.
A rule that should let something through which another rule asks about has no effect: change that rule, so that it asks
`otherwise`, or less.
"""


def guide(book: RuleBook, tool: str) -> str:
    """All of it about one tool, or about all."""
    known, rules = book.known, book.current.rules
    if tool and tool not in known.tools:
        return f"There is no tool {tool}{did_you_mean(tool, known.tools)}."
    shown = [rule for rule in rules if not tool or _concerns(book, rule.id, tool)]
    there = {tool: known.tools[tool]} if tool else known.tools
    tools = [f"- {name} ({each.effect}): {', '.join(schema.names(each.arguments))}" for name, each in there.items()]
    return "\n".join(
        [
            WORDS,
            f"Effects: {', '.join(get_args(Effect))}. Origins: {', '.join(get_args(Origin))}.",
            f"Agents: {_listed(known.agents)}. Roles: {_listed(known.roles)}. Channels: {_listed(known.channels)}.",
            "Tools and their arguments:",
            *tools,
            "",
            "Rules in force:",
            *(f"- {as_yaml(rule, 2)}" for rule in shown),
        ]
    )


def _concerns(book: RuleBook, rule_id: str, tool: str) -> bool:
    rule = book.current.rule(rule_id)
    if rule is None:
        return False
    effect = book.known.tools[tool].effect
    return (rule.tool is None or tool in rule.tool) and (rule.effect is None or effect in rule.effect)


def _listed(names: frozenset[str] | None) -> str:
    return ", ".join(sorted(names or ())) or "any"
