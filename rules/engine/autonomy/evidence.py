"""What speaks for letting calls through: approvals without a correction, in a row, by different people who looked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from kernel.store import approvals as rows
from kernel.store import attempts
from kernel.types import Frozen
from rules.engine import replaying
from rules.engine.autonomy.kinds import kind_of
from rules.engine.facts import origins_from_json
from rules.engine.record import outcome_of
from rules.engine.ruleset import digest_of
from rules.engine.words import seconds

if TYPE_CHECKING:
    from datetime import datetime

    from kernel.store import Session
    from kernel.store.approvals import ApprovalState
    from rules.engine.autonomy.kinds import CallKind
    from rules.engine.language import Rule
    from rules.engine.promote_words import Promote

LOOKED_AT = 2000  # approvals of an agent and a tool, the newest
OUTSIDE = frozenset({"outside_text"})


class Evidence(Frozen):
    """What was found for one kind of calls."""

    approvals: int = 0  # in a row
    approvers: tuple[str, ...] = ()  # names of different people
    people: int = 0  # how many they are
    refs: tuple[str, ...] = ()  # of the approvals, the newest first
    broken_by: str = ""  # what ended the row further back, "AP-7F3K was rejected"; empty: nothing did

    def is_enough(self, promote: Promote) -> bool:
        """Whether the rule is satisfied by it."""
        return self.approvals >= promote.after.approvals_in_a_row and self.people >= promote.after.different_approvers

    def in_words(self, promote: Promote) -> str:
        """ "12 of 20 approvals in a row without a correction, by Bo and Cy"."""
        by = f", by {' and '.join(self.approvers)}" if self.approvers else ""
        broken = f"; {self.broken_by}" if self.broken_by else ""
        wanted = promote.after.approvals_in_a_row
        return f"{self.approvals} of {wanted} approvals in a row without a correction{by}{broken}"


def evidence_of(session: Session, rule: Rule, kind: CallKind, now: datetime, after: datetime | None) -> Evidence:
    """Walk back through what people decided about calls of the kind, until a correction. `after`: nothing older."""
    promote = rule.promote
    if promote is None:
        return Evidence()
    since = now - timedelta(seconds=seconds(promote.after.within))
    if after is not None:
        since = max(since, after)
    known = rows.about(session, kind.agent, kind.tool, since, LOOKED_AT)
    undone = attempts.undone(session, [row.call_id for row in known])
    same_rule = _SameRule(session, rule)
    people: dict[str, str] = {}
    refs: list[str] = []
    broken = ""
    for row in known:
        if rule.id not in row.rules["ids"] or kind_of(rule, promote, row.agent, row.tool, row.arguments) != kind:
            continue
        if not same_rule.at(row.rules["version"]):
            broken = "the rule was changed before that"
            break
        correction = _correction(row, was_undone=row.call_id in undone)
        if correction:
            broken = f"{row.ref} was {correction}"
            break
        if _counts(row, promote):
            refs.append(row.ref)
            people |= {vote.id: vote.name for vote in outcome_of(row).votes if vote.verb == "approve"}
    return Evidence(
        approvals=len(refs), approvers=tuple(people.values()), people=len(people), refs=tuple(refs), broken_by=broken
    )


def _correction(row: ApprovalState, *, was_undone: bool) -> str:
    outcome = outcome_of(row)
    if row.state == rows.REJECTED:
        return "rejected"
    if outcome.edits:
        return "edited"
    if was_undone:
        return "undone"
    return "failed" if outcome.failed else ""


def _counts(row: ApprovalState, promote: Promote) -> bool:
    """Done, looked at for long enough, and nothing in it that only somebody outside has written."""
    outcome = outcome_of(row)
    if row.state != rows.CONSUMED or outcome.done_at is None or row.decided_at is None:
        return False
    if (row.decided_at - row.created_at).total_seconds() < seconds(promote.after.seen_at_least):
        return False
    return not any(found == OUTSIDE for known in origins_from_json(row.origins).values() for found in known)


class _SameRule:
    """Whether a set of rules says of the rule what the one in force says; asked once for each version."""

    def __init__(self, session: Session, rule: Rule) -> None:
        self.session = session
        self.rule = rule
        self.wanted = digest_of(rule)
        self._known: dict[str, bool] = {}

    def at(self, version: str) -> bool:
        if version not in self._known:
            kept = replaying.kept(self.session, version)
            then = kept.rule(self.rule.id) if kept is not None else None
            self._known[version] = then is not None and digest_of(then) == self.wanted
        return self._known[version]
