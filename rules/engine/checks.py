"""Comparing a rule file with what there is: every name it uses exists, every condition fits the argument's type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rules.engine import schema
from rules.engine.policy import REQUESTER
from rules.engine.words import seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kernel.types import Json
    from kernel.yaml_lines import Loc, Located
    from rules.engine.approval_words import Approval, Deciders
    from rules.engine.known import Known, KnownTool
    from rules.engine.language import Condition, Rule, RuleFile
    from rules.engine.promote_words import Promote

NUMBERS = frozenset({"integer", "number"})


def problems_of(located: Located, content: RuleFile, known: Known) -> list[str]:
    """Everything in the file that names or expects what does not exist, as `file:line: message`."""
    check = _FileCheck(located, known)
    for number, rule in enumerate(content.rules):
        check.rule(("rules", number), rule)
    for number, test in enumerate(content.tests):
        check.test(("tests", number), test.call)
    return check.problems


class _FileCheck:
    def __init__(self, located: Located, known: Known) -> None:
        self.located = located
        self.known = known
        self.problems: list[str] = []

    def rule(self, at: Loc, rule: Rule) -> None:
        self._selectors(at, rule)
        if rule.approval:
            self._approval((*at, "approval"), rule.approval)
        if rule.approval and rule.approval.grant:
            self._of_tools((*at, "approval", "grant", "same"), rule, rule.approval.grant.same)
        if rule.promote:
            self._promote((*at, "promote"), rule, rule.promote)
        self._meters(at, rule)
        if rule.args and not rule.tool:
            self._args_of_effects(at, rule)
        for name, condition in (rule.args or {}).items():
            for tool in self._known_tools(rule):
                self._argument((*at, "args", name), tool, name, condition)
        for tool in self._known_tools(rule):
            if rule.verdict == "allow" and self.known.tools[tool].always_asked:
                self._say((*at, "decision"), f"what {tool} does is always decided by people, so no rule allows it")
            effect = self.known.tools[tool].effect
            if rule.effect and effect not in rule.effect:
                self._say((*at, "effect"), f"{tool} has the effect {effect}, so the rule never holds for it")

    def _args_of_effects(self, at: Loc, rule: Rule) -> None:
        """Arguments of whatever tool has the effect: at least one of these tools has to know them."""
        if not rule.effect:
            self._say((*at, "args"), "'args' needs 'tool' or 'effect': arguments belong to tools")
            return
        fitting = {name: tool for name, tool in self.known.tools.items() if tool.effect in rule.effect}
        names = {argument for tool in fitting.values() for argument in schema.names(tool.arguments)}
        for name, condition in (rule.args or {}).items():
            if name not in names and not any(tool.is_open for tool in fitting.values()):
                effects = " or ".join(rule.effect)
                self._say(
                    (*at, "args", name), f"no tool with the effect {effects} has an argument '{name}'", name, names
                )
            for tool, known in fitting.items():
                if name in schema.names(known.arguments):
                    self._argument((*at, "args", name), tool, name, condition)

    def _selectors(self, at: Loc, rule: Rule) -> None:
        self._names((*at, "agent"), "agent", rule.agent, self.known.agents)
        self._names((*at, "tool"), "tool", rule.tool, self.known.tools)
        self._names((*at, "channel"), "channel", rule.channel, self.known.channels)
        self._names((*at, "platform"), "platform", rule.platform, self.known.platforms)
        self._names((*at, "requester"), "role", rule.requester, self.known.roles)
        self._names((*at, "workflow"), "workflow", rule.workflow, self.known.workflows)
        if rule.workflow and rule.attended:
            self._say((*at, "attended"), "a workflow runs by itself: 'attended: true' never holds for it")

    def test(self, at: Loc, call: Mapping[str, object]) -> None:
        for word in ("agent", "tool"):
            if not isinstance(call.get(word), str):
                self._say((*at, "call"), f"a call names {'an agent' if word == 'agent' else 'a tool'}")
        self._names((*at, "call", "agent"), "agent", (str(call.get("agent")),), self.known.agents)
        self._names((*at, "call", "tool"), "tool", (str(call.get("tool")),), self.known.tools)

    def _approval(self, at: Loc, approval: Approval) -> None:
        self._deciders(at, approval)
        for number, stage in enumerate(approval.stages):
            self._deciders((*at, "stages", number), stage)
        self._names((*at, "where"), "channel", approval.where, self.known.channels)
        if approval.break_glass:
            self._names((*at, "break_glass"), "role", approval.break_glass.who, self.known.roles)
            self._names((*at, "break_glass", "where"), "channel", approval.break_glass.where, self.known.channels)

    def _deciders(self, at: Loc, deciders: Deciders) -> None:
        roles = None if self.known.roles is None else {*self.known.roles, REQUESTER}
        self._names((*at, "who"), "role", deciders.who, roles)
        for number, each in enumerate(deciders.escalate):
            self._names((*at, "escalate", number, "to"), "role", each.to, self.known.roles)

    def _promote(self, at: Loc, rule: Rule, promote: Promote) -> None:
        self._names((*at, "decided_by"), "role", promote.decided_by, self.known.roles)
        if promote.per:
            self._of_tools((*at, "for", "same"), rule, promote.per.same)
        for tool in rule.tool or ():
            if tool in self.known.tools and self.known.tools[tool].effect == "destroy":
                self._say(at, f"what {tool} does cannot be undone, so it is never promoted")
        if rule.tool is None and (rule.effect is None or "destroy" in rule.effect):
            self._say(at, "what cannot be undone is never promoted: name the tools, or the effects without 'destroy'")
        if seconds(promote.after.seen_at_least) > seconds(promote.after.within):
            self._say((*at, "after", "seen_at_least"), "is longer than the time in 'within'")

    def _meters(self, at: Loc, rule: Rule) -> None:
        for number, budget in enumerate(rule.budget or ()):
            here: Loc = (*at, "budget", number)
            self._names((*here, "owner"), "role", budget.owner, self.known.roles)
            self._of_tools((*here, "same"), rule, budget.same)
            if budget.amount is None:
                continue
            if rule.tool is None and budget.of not in (rule.args or {}):
                self._say(here, f"a budget of an amount needs 'tool', or '{budget.of}' in 'args'")
            for tool in self._known_tools(rule):
                arguments = self.known.tools[tool].arguments
                if budget.of not in schema.names(arguments) and self.known.tools[tool].is_open:
                    continue
                if budget.of not in schema.names(arguments):
                    self._say(here, f"{tool} has no argument '{budget.of}'", budget.of, schema.names(arguments))
                elif not schema.types(arguments, budget.of) & (NUMBERS | {"string"}):
                    self._say(here, f"'{budget.of}' of {tool} is no number")
        for number, limit in enumerate(rule.limit or ()):
            self._of_tools((*at, "limit", number, "same"), rule, limit.same)

    def _of_tools(self, at: Loc, rule: Rule, names: Iterable[str] | None) -> None:
        """Each name is an argument of every tool of the rule, or a field of one: "event.customer"."""
        if names and not rule.tool:
            self._say(at, "'same' needs 'tool': arguments belong to a tool")
        for name in names or ():
            for tool in self._known_tools(rule):
                arguments = self.known.tools[tool].arguments
                there = schema.paths(arguments)
                if name not in there and not self.known.tools[tool].is_open:
                    self._say(at, f"{tool} has no argument '{name}'", name, there)

    def _known_tools(self, rule: Rule) -> list[str]:
        return [tool for tool in rule.tool or () if tool in self.known.tools]

    def _argument(self, at: Loc, tool_name: str, name: str, condition: Condition) -> None:
        tool = self.known.tools[tool_name]
        known = schema.names(tool.arguments)
        if name not in known and tool.is_open:
            return
        if name not in known:
            self._say(at, f"{tool_name} has no argument '{name}'", name, known)
            return
        kinds = schema.types(tool.arguments, name)
        label = f"'{name}' of {tool_name}"
        for word in ("at_most", "at_least"):
            if getattr(condition, word) is not None and kinds and not kinds & (NUMBERS | {"string"}):
                self._say((*at, word), f"{label} is no number")
        if condition.matches and kinds and "string" not in kinds:
            self._say((*at, "matches"), f"{label} is no text")
        measured = schema.is_list(tool.arguments, name) or not kinds or "string" in kinds
        if condition.length and not measured:
            self._say((*at, "length"), f"{label} is neither text nor a list")
        self._equals((*at, "is"), tool, name, condition.is_ or (), label)
        self._equals((*at, "not"), tool, name, condition.not_ or (), label)
        self._origins(at, tool, name, condition, label)

    def _equals(self, at: Loc, tool: KnownTool, name: str, wanted: Iterable[Json], label: str) -> None:
        kinds = schema.types(tool.arguments, name)
        choices = schema.choices(tool.arguments, name)
        for value in wanted:
            if not schema.admits(kinds, value):
                self._say(at, f"{label} is {' or '.join(sorted(kinds))}, never {value!r}")
            elif choices and value not in choices:
                self._say(at, f"{label} is never {value!r}", str(value), [str(choice) for choice in choices])

    def _origins(self, at: Loc, tool: KnownTool, name: str, condition: Condition, label: str) -> None:
        words = (("from", condition.from_), ("only_from", condition.only_from), ("links_from", condition.links_from))
        for word, origins in words:
            if origins is None:
                continue
            if word == "links_from" and name not in tool.free_text:
                self._say((*at, word), f"{label} is no free text: use 'from' for where the value itself comes from")
            if word != "links_from" and name in tool.free_text:
                self._say((*at, word), f"{label} is free text and has no origin: 'links_from' looks at what is in it")

    def _names(self, at: Loc, kind: str, names: Iterable[str] | None, known: Iterable[str] | None) -> None:
        if known is None:
            return
        there = set(known)
        for name in names or ():
            if name not in there:
                self._say(at, f"unknown {kind} '{name}'", name, there)

    def _say(self, loc: Loc, message: str, word: str = "", known: Iterable[str] = ()) -> None:
        self.problems.append(self.located.problem(loc, message, word, known))
