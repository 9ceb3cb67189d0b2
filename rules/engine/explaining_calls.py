"""What the rules would say to a call, and why: the deciding rules, the others, and what would let it through alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.types import Decision, Frozen
from rules.engine.decide import decide
from rules.engine.explain import why_not_alone
from rules.engine.linting.lint import rank
from rules.engine.policy import in_full
from rules.engine.written_facts import facts_written

if TYPE_CHECKING:
    from rules.engine.decide import Verdict
    from rules.engine.facts import CallFacts
    from rules.engine.rulebook import RuleBook
    from rules.engine.ruleset import Compiled, RuleSet


class Explanation(Frozen):
    """The answer to one call."""

    decision: Decision
    by: tuple[str, ...]  # ids of the deciding rules
    lines: tuple[str, ...]  # Markdown, for people

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join(self.lines)


def explain_call(book: RuleBook, text: str) -> Explanation:
    """Judge a call that somebody wrote down by the rules in force. RefusedError where it makes no sense."""
    rules = book.current
    return explain_facts(book, rules, facts_written(rules, book.known, text))


def explain_facts(book: RuleBook, rules: RuleSet, facts: CallFacts) -> Explanation:
    """The same about facts."""
    verdict = decide(rules, facts)
    lines = [f"**{verdict.decision}**: {verdict.reason}"]
    if verdict.policy is not None:
        lines.append(f"- Who decides: {in_full(verdict.policy)}")
    if verdict.decision == "ask":
        lines.append(f"- Why not alone: {why_not_alone(rules, facts)}")
    if verdict.trial is not None:
        lines.append(f"- With {' and '.join(verdict.trial.rules)}, which only logs: {verdict.trial.decision}")
    lines += _rules(book, rules, facts, verdict)
    return Explanation(decision=verdict.decision, by=verdict.rules, lines=tuple(lines))


def _rules(book: RuleBook, rules: RuleSet, facts: CallFacts, verdict: Verdict) -> list[str]:
    known = rules.candidates(facts.agent, facts.tool, facts.effect)
    concerned = [*known.deny, *known.ask, *known.allow, *known.otherwise_deny, *known.otherwise_ask, *known.log_only]
    if not concerned:
        return [f"- No rule is about {facts.tool} used by {facts.agent}."]
    concerned.sort(key=lambda each: (rank(each.rule), each.rule.id))
    return [f"- {_named(book, each)}: {_outcome(each, facts, verdict)}" for each in concerned]


def _named(book: RuleBook, each: Compiled) -> str:
    rule = each.rule
    verdict = rule.decision or f"otherwise {rule.otherwise}"
    where = book.where(rule.id)
    return f"`{rule.id}` ({verdict}{', only logs' if rule.log_only else ''}{f', {where}' if where else ''})"


def _outcome(each: Compiled, facts: CallFacts, verdict: Verdict) -> str:
    if each.rule.id in verdict.rules:
        return "**decides**"
    failing = next((check for check in each.checks if not check.holds(facts)), None)
    if failing is None:
        return "holds" if each.rule.log_only else "holds, but a stronger rule decides"
    return f"does not hold: {failing.failed(facts)}"
