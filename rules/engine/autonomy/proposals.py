"""What people are asked: whether calls may go through from now on, and whether one that did was right."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from kernel.store import past_calls, promotions
from rules.engine.autonomy.kinds import kind_of
from rules.engine.decide import decide
from rules.engine.policy import ADMIN, Group, Policy, listed
from rules.engine.policy_of_words import policy_of
from rules.engine.replaying import facts_of

if TYPE_CHECKING:
    from datetime import datetime

    from kernel.store import Session
    from kernel.store.approvals import ApprovalState
    from kernel.store.calls import CallState
    from kernel.types import RunFacts
    from rules.engine.autonomy.evidence import Evidence
    from rules.engine.autonomy.kinds import CallKind
    from rules.engine.language import Rule
    from rules.engine.questions import Questions
    from rules.engine.ruleset import RuleSet

DAYS, LOOKED_AT = 30, 2000  # of the past, and calls of the agent and tool in it, on which a promotion is tried
WEEK = 7 * 24 * 3600


def proposal_id(promotion_id: str) -> str:
    """Under which the question about a promotion stands in the place of a call."""
    return f"{promotions.PROPOSAL}{promotion_id}"


def review_id(call_id: str) -> str:
    """The same for the question whether a call was right."""
    return f"{promotions.REVIEW}{call_id}"


def text_of(  # noqa: PLR0917  what the proposal is made of
    session: Session, rules: RuleSet, rule: Rule, kind: CallKind, found: Evidence, now: datetime
) -> str:
    """The evidence, the backtest and what would hold, for those who decide about a rule that can be promoted."""
    promote = rule.promote
    if promote is None:
        return ""
    went = _would_have_gone(session, rules, rule, kind, now)
    runs = f" ({', '.join(went[:5])})" if went else ""
    return "\n".join(
        [
            f"Rule {rule.id} asks about every one of these calls: {kind.in_words()}.",
            f"Evidence: {found.in_words(promote)} ({', '.join(found.refs[:10])}).",
            f"Backtest: of the calls of the last {DAYS} days, {len(went)} would have gone through unasked{runs}.",
            f"It would end after {promote.expires}, or at once when one is {listed(promote.back_to_ask_on)}.",
            "It would also end when the rule, the tool or the agent changes.",
            f"{promote.review} of the calls would be shown afterwards to those who decide today.",
            "Values that stand only in text from outside would still be asked about.",
        ]
    )


def _would_have_gone(session: Session, rules: RuleSet, rule: Rule, kind: CallKind, now: datetime) -> list[str]:
    """Runs in which a call of the kind was asked about and would not have been."""
    found = []
    since = now - timedelta(days=DAYS)
    for call in past_calls.since(session, since, LOOKED_AT, agent=kind.agent, tool=kind.tool):
        if rule.promote is None or kind_of(rule, rule.promote, call.agent, call.tool, call.arguments) != kind:
            continue
        facts = facts_of(call)
        promoted = replace(facts, promoted=facts.promoted | {rule.id})
        if decide(rules, facts).decision == "ask" and decide(rules, promoted).decision == "allow":
            found.append(call.run)
    return found[::-1]


def ask(  # noqa: PLR0917  what the question consists of
    questions: Questions,
    session: Session,
    promotion_id: str,
    rule: Rule,
    kind: CallKind,
    text: str,
    run: RunFacts,
) -> ApprovalState:
    """Ask the roles that decide about the promotion."""
    where = rule.approval.where or () if rule.approval is not None else ()
    who = rule.promote.decided_by if rule.promote is not None else (ADMIN,)
    policy = Policy(groups=(Group(who=who, not_requester=False),), where=where, expires=WEEK)
    headline = f"Let {kind.agent} use {kind.tool} without asking"
    return questions.ask(session, proposal_id(promotion_id), headline, text, policy, rule.why, run)


def ask_review(  # noqa: PLR0917  what the question consists of
    questions: Questions, session: Session, rule: Rule, kind: CallKind, call: CallState, run: RunFacts
) -> None:
    """Ask those who decided about such calls before whether this one was right. A no ends the promotion."""
    policy = policy_of(rule.approval) if rule.approval is not None else questions.services.rules.current.fallback
    policy = policy.model_copy(update={"expires": WEEK, "confirm": False, "edit": False})
    lines = [f"{name}: {value}" for name, value in call.arguments.items()]
    text = "\n".join([f"It was done without asking, by rule {rule.id} ({kind.in_words()}).", *lines])
    headline = f"Was this right? {kind.agent} has used {kind.tool} alone"
    questions.ask(session, review_id(call.id), headline, text, policy, "A sample is looked at afterwards.", run)
