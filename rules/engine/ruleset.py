"""A loaded set of rules: compiled, indexed by agent and tool, and named by the digest of what it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from kernel.canonical import digest
from rules.engine.compiling import compile_checks
from rules.engine.language import Rule
from rules.engine.matching import kind_of_run, levels_of
from rules.engine.meters import meters_of
from rules.engine.policy import FALLBACK, Policy
from rules.engine.policy_of_words import policy_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.types import Json
    from rules.engine.conditions import Check
    from rules.engine.decide import Verdict
    from rules.engine.facts import CallFacts
    from rules.engine.matching import Levels
    from rules.engine.meters import Meter

CACHED = 4096  # pairs of agent and tool whose candidates are remembered
CACHED_KINDS = 16384  # kinds of runs, each with a tool


@dataclass(frozen=True, kw_only=True, slots=True)
class Compiled:
    """A rule that is ready to be matched."""

    rule: Rule
    checks: tuple[Check, ...]
    policy: Policy | None  # for a rule that asks
    meters: tuple[Meter, ...] = ()  # its budgets and limits


class Candidates(NamedTuple):
    """The rules that can decide about a tool of an agent, by their place in the precedence."""

    deny: tuple[Compiled, ...]
    ask: tuple[Compiled, ...]
    allow: tuple[Compiled, ...]
    otherwise_deny: tuple[Compiled, ...]
    otherwise_ask: tuple[Compiled, ...]
    log_only: tuple[Compiled, ...] = ()  # of no effect; in none of the above
    trial: Candidates | None = None  # with those of no effect among them; None where there are none


class RuleSet:
    """Rules in force together. Immutable; `version` is the same exactly when the rules say the same."""

    def __init__(self, rules: Iterable[Rule] = (), *, fallback: Policy = FALLBACK) -> None:
        self.rules = tuple(sorted(rules, key=lambda rule: rule.id))  # so that the order in files changes nothing
        self.fallback = fallback  # who decides where no rule says who
        self.version = digest(self.content())
        self.requester_roles = frozenset(role for rule in self.rules for role in rule.requester or ())
        self.promoting = frozenset(rule.id for rule in self.rules if rule.promote is not None)
        self.counts_costs = any(each.cost is not None for rule in self.rules for each in rule.budget or ())
        self._compiled = tuple(self._compile(rule) for rule in self.rules)
        self._candidates: dict[tuple[str, str, str | None], Candidates] = {}
        self._levels: dict[tuple[object, ...], Levels] = {}
        self.verdicts: dict[tuple[object, ...], Verdict] = {}  # those that were given, by what they say

    def candidates(self, agent: str, tool: str, effect: str | None) -> Candidates:
        """The rules whose agent, tool and effect fit."""
        key = (agent, tool, effect)
        found = self._candidates.get(key)
        if found is None:
            if len(self._candidates) >= CACHED:
                self._candidates.clear()
            found = self._candidates[key] = self._find(agent, tool, effect)
        return found

    def levels(self, facts: CallFacts) -> Levels:
        """The rules that can decide about a call in a run like this, ready to be asked."""
        kind = kind_of_run(facts)
        found = self._levels.get(kind)
        if found is None:
            if len(self._levels) >= CACHED_KINDS:
                self._levels.clear()
            found = self._levels[kind] = levels_of(self.candidates(facts.agent, facts.tool, facts.effect), facts)
        return found

    def meters(self, agent: str, tool: str, effect: str | None) -> tuple[Meter, ...]:
        """The budgets and limits that a decision about the tool can look at, those of rules that only log as well."""
        known = self.candidates(agent, tool, effect)
        known = known.trial or known
        several = (known.ask, known.allow, known.otherwise_ask)
        return tuple(meter for rules in several for each in rules for meter in each.meters)

    def rule(self, rule_id: str) -> Rule | None:
        """The rule with this id."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)

    def content(self) -> dict[str, Json]:
        """Everything that a decision takes from the rules, as JSON: what is stored to repeat it."""
        return {
            "rules": [_content(rule) for rule in self.rules],
            "fallback": self.fallback.model_dump(mode="json", exclude_defaults=True),
        }

    def _find(self, agent: str, tool: str, effect: str | None) -> Candidates:
        fitting = [each for each in self._compiled if _fits(each.rule, agent, tool, effect)]
        in_force = _sorted([each for each in fitting if not each.rule.log_only])
        log_only = tuple(each for each in fitting if each.rule.log_only)
        return in_force._replace(log_only=log_only, trial=_sorted(fitting)) if log_only else in_force

    def _compile(self, rule: Rule) -> Compiled:
        policy = None
        if rule.verdict == "ask":
            policy = policy_of(rule.approval) if rule.approval else self.fallback
        return Compiled(rule=rule, checks=compile_checks(rule), policy=policy, meters=meters_of(rule))


def from_content(content: Json) -> RuleSet:
    """The rule set whose `content` was stored: it decides as the one that was in force."""
    rules = [Rule.model_validate(rule) for rule in content["rules"]]
    return RuleSet(rules, fallback=Policy.model_validate(content["fallback"]))


def _sorted(fitting: list[Compiled]) -> Candidates:
    def pick(verdict: str, *, last: bool = False) -> tuple[Compiled, ...]:
        return tuple(
            each for each in fitting if each.rule.verdict == verdict and (each.rule.otherwise is not None) is last
        )

    return Candidates(
        deny=pick("deny"),
        ask=pick("ask"),
        allow=pick("allow"),
        otherwise_deny=pick("deny", last=True),
        otherwise_ask=pick("ask", last=True),
    )


def _fits(rule: Rule, agent: str, tool: str, effect: str | None) -> bool:
    return (
        (rule.agent is None or agent in rule.agent)
        and (rule.tool is None or tool in rule.tool)
        and (rule.effect is None or effect in rule.effect)
    )


def digest_of(rule: Rule) -> str:
    """The identity of what one rule says."""
    return digest(_content(rule))


def _content(rule: Rule) -> dict[str, Json]:
    return rule.model_dump(mode="json", by_alias=True, exclude_none=True)
