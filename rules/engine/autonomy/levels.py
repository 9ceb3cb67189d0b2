"""How far each rule that asks has come: manual, systematic or scaled, and what speaks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.store import approvals as rows
from kernel.store import promotions as store
from rules.engine.autonomy.evidence import evidence_of
from rules.engine.autonomy.kinds import CallKind, kind_of

if TYPE_CHECKING:
    from datetime import datetime

    from kernel.store import Session
    from rules.engine.language import Rule
    from rules.engine.promote_words import Promote
    from rules.engine.ruleset import RuleSet

LOOKED_AT, KINDS = 500, 5  # decisions, and kinds of calls for each rule, that are looked at


def overview(session: Session, rules: RuleSet, now: datetime) -> str:
    """All rules that ask, as Markdown."""
    asking = [rule for rule in rules.rules if rule.verdict == "ask" and not rule.log_only]
    if not asking:
        return "No rule asks people about anything."
    active = store.listing(session, store.ACTIVE, store.PROPOSED)
    found = [line for rule in asking for line in _lines(session, rule, active, now)]
    alone = sum(rule.verdict == "allow" for rule in rules.rules)
    head = ["| rule | level | evidence |", "|---|---|---|"]
    return "\n".join([*head, *found, "", f"Beside these, {alone} rules let calls through by themselves."])


def _lines(session: Session, rule: Rule, active: list[store.Promotion], now: datetime) -> list[str]:
    if rule.promote is None:
        return [f"| `{rule.id}` | manual | asked every time |"]
    mine = [row for row in active if row.rule == rule.id]
    lines = [f"| `{rule.id}` | {_level(row)} | {_told(session, row)} |" for row in mine]
    known = {(row.agent, row.tool, row.scope) for row in mine}
    for kind in _kinds(session, rule, rule.promote):
        if (kind.agent, kind.tool, kind.scope) not in known:
            before = store.newest(session, rule.id, kind.agent, kind.tool, kind.scope)
            found = evidence_of(session, rule, kind, now, before.ended_at if before else None)
            ended = f"; asks again because {before.reason}" if before is not None else ""
            lines.append(f"| `{rule.id}` | systematic | {kind.in_words()}: {found.in_words(rule.promote)}{ended} |")
    wanted = rule.promote.after.approvals_in_a_row
    return lines or [f"| `{rule.id}` | systematic | 0 of {wanted} approvals in a row |"]


def _kinds(session: Session, rule: Rule, promote: Promote) -> list[CallKind]:
    """The kinds of calls that were decided about lately, the latest first."""
    found: dict[CallKind, None] = {}
    for row in rows.decided(session, LOOKED_AT):
        if row.kind == "call" and rule.id in row.rules["ids"]:
            kind = kind_of(rule, promote, row.agent, row.tool, row.arguments)
            if kind is not None:
                found[kind] = None
    return list(found)[:KINDS]


def _level(row: store.Promotion) -> str:
    return "scaled" if row.state == store.ACTIVE else "systematic"


def _told(session: Session, row: store.Promotion) -> str:
    kind = CallKind(rule=row.rule, agent=row.agent, tool=row.tool, scope=row.scope).in_words()
    if row.state == store.PROPOSED:
        return f"{kind}: people are asked whether it may go on alone"
    went = store.calls_of(session, row.id)
    until = f"{row.expires_at:%d %b %Y}" if row.expires_at else "?"
    reviewed = sum(each.reviewed for each in went)
    return f"{kind}: alone until {until}; {len(went)} calls, {reviewed} shown afterwards"
