"""The linter: everything about a set of rules that a team should look at before the rules decide anything."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from rules.engine.linting import deciders
from rules.engine.linting.boxes import Boxes
from rules.engine.linting.covering import covering
from rules.engine.linting.findings import Finding
from rules.engine.policy import FALLBACK, Policy, strictest
from rules.engine.policy_of_words import policy_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kernel.people import Role
    from rules.engine.known import Known
    from rules.engine.language import Rule
    from rules.engine.linting.boxes import Box, Cell
    from rules.engine.linting.findings import Kind

STRONGEST_FIRST = (("decision", "deny"), ("decision", "ask"), ("decision", "allow"), ("otherwise", "deny"))

WEAKEST = len(STRONGEST_FIRST)  # otherwise: ask


def lint(
    rules: Sequence[Rule], known: Known, roles: Mapping[str, Role] | None = None, *, fallback: Policy = FALLBACK
) -> list[Finding]:
    """What is wrong with the rules, in their order; then the tools that no rule names.

    `roles` says who holds which role; without it nothing is said about those who decide.
    """
    found = _Coverage(rules, known, fallback).findings()
    by_rule: dict[str, list[Finding]] = {}
    for each in found:
        by_rule.setdefault(each.subject, []).append(each)
    ordered = []
    for rule in rules:
        ordered += by_rule.get(rule.id, [])
        ordered += deciders.findings_of(rule, roles) if roles is not None else []
    return [*ordered, *_left_out(rules, known)]


def rank(rule: Rule) -> int:
    """The place of the rule in the precedence; the strongest is 0."""
    return next((n for n, (word, verdict) in enumerate(STRONGEST_FIRST) if getattr(rule, word) == verdict), WEAKEST)


class _Coverage:
    """Looks at the rules tool by tool. A rule is in order as soon as it is of use for one of them."""

    def __init__(self, rules: Sequence[Rule], known: Known, fallback: Policy) -> None:
        self.rules = rules
        self.known = known
        self.fallback = fallback
        self.boxes = Boxes(rules, known)
        self.policies = {rule.id: policy_of(rule.approval) if rule.approval else fallback for rule in rules}
        self.ranks = {rule.id: rank(rule) for rule in rules}
        self.reached: set[str] = set()  # some call fits
        self.decides: set[str] = set()  # it decides some call
        self.needed: set[str] = set()  # without it, some call would be decided in another way
        self.stronger: dict[str, dict[str, None]] = {}
        self.instead: dict[str, dict[str, None]] = {}
        self.grants: set[str] = set()  # a permission can be given for some call that it decides
        self.barred: dict[str, dict[str, None]] = {}

    def findings(self) -> list[Finding]:
        for name, concerned in _by_tool(self.rules, self.known).items():
            self._look(self.boxes.of(concerned, self.known.tools[name]))
        return [finding for rule in self.rules if (finding := self._finding(rule)) is not None]

    def _look(self, cell: Cell) -> None:
        live = [box for box in cell.boxes if not box.holds_never()]
        self.reached.update(box.rule.id for box in live)
        by_rank: list[list[Box]] = [[] for _ in range(WEAKEST + 1)]
        for box in live:
            if not box.rule.log_only:
                by_rank[self.ranks[box.rule.id]].append(box)
        for box in live:
            self._look_at_grant(box, by_rank, cell)
        given_up: set[str] = set()
        for box in reversed(live):
            if box.rule.id in self.needed:
                continue
            mine = self.ranks[box.rule.id]
            if over := covering(box, chain.from_iterable(by_rank[:mine]), cell.everything):
                self.stronger.setdefault(box.rule.id, {}).update(dict.fromkeys(each.rule.id for each in over))
                given_up.add(box.rule.id)
                continue
            self.decides.add(box.rule.id)
            if instead := covering(box, by_rank[mine], cell.everything, partial(self._can_replace, box, given_up)):
                self.instead.setdefault(box.rule.id, {}).update(dict.fromkeys(each.rule.id for each in instead))
                given_up.add(box.rule.id)
            else:
                self.needed.add(box.rule.id)

    def _look_at_grant(self, box: Box, by_rank: list[list[Box]], cell: Cell) -> None:
        """Rules that ask about the same calls bar permissions where they have none themselves."""
        mine = self.ranks[box.rule.id]
        if self.policies[box.rule.id].grant is None or box.rule.id in self.grants:
            return
        if covering(box, chain.from_iterable(by_rank[:mine]), cell.everything):
            return
        if bars := covering(box, by_rank[mine], cell.everything, self._bars):
            self.barred.setdefault(box.rule.id, {}).update(dict.fromkeys(each.rule.id for each in bars))
        else:
            self.grants.add(box.rule.id)

    def _bars(self, by: Box) -> bool:
        policy = self.policies[by.rule.id]
        return policy.grant is None or policy.confirm

    def _can_replace(self, box: Box, given_up: set[str], by: Box) -> bool:
        """Whether a call that both fit is decided by the one alone as it is by both."""
        rule, other = by.rule, box.rule
        if (
            rule.id in given_up
            or rule.id == other.id
            or other.log_only
            or rule.promote
            or other.promote
            or other.budget
            or other.limit
        ):
            return False
        if rule.verdict != "ask":
            return True
        mine, theirs = self.policies[rule.id], self.policies[other.id]
        return mine == theirs or strictest((mine, theirs)) == mine

    def _finding(self, rule: Rule) -> Finding | None:
        if rule.id not in self.reached:
            return _finding("unreachable", rule, "no call fits it")
        if rule.id not in self.decides:
            over = " and ".join(self.stronger[rule.id])
            return _finding("overruled", rule, f"it never decides: whatever fits it is decided by {over}")
        if rule.id in self.barred and rule.id not in self.grants:
            bars = " and ".join(self.barred[rule.id])
            return _finding("useless_grant", rule, f"its grant has no effect: {bars} asks as well and permits none")
        if rule.id not in self.needed:
            same = " and ".join(self.instead[rule.id])
            text = f"without it nothing changes: {same} decides the same"
            return _finding("redundant", rule, text, serious=False)
        return None


def _by_tool(rules: Iterable[Rule], known: Known) -> dict[str, list[Rule]]:
    """The rules that concern each tool, in their order."""
    found: dict[str, list[Rule]] = {name: [] for name in known.tools}
    of_effect: dict[str, list[str]] = {}
    for name, tool in known.tools.items():
        of_effect.setdefault(tool.effect, []).append(name)
    for rule in rules:
        if rule.tool is not None:
            names = [n for n in rule.tool if n in found and (not rule.effect or known.tools[n].effect in rule.effect)]
        elif rule.effect is not None:
            names = [name for effect in rule.effect for name in of_effect.get(effect, ())]
        else:
            names = list(found)
        for name in names:
            found[name].append(rule)
    return found


def _left_out(rules: Sequence[Rule], known: Known) -> list[Finding]:
    concerned = _by_tool([rule for rule in rules if not rule.log_only], known)
    return [
        Finding(
            kind="no_rule",
            subject=name,
            text=f"no rule decides about {name}, which has the effect {tool.effect}: an admin is asked every time",
            serious=False,
        )
        for name, tool in known.tools.items()
        if tool.effect != "read" and not concerned[name]
    ]


def _finding(kind: Kind, rule: Rule, text: str, *, serious: bool = True) -> Finding:
    return Finding(kind=kind, subject=rule.id, text=f"{rule.id}: {text}", serious=serious)
