"""Promotions: proposed when the evidence is there, decided by people, ended by the first correction."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from kernel import ledger
from kernel.store import approvals as rows
from kernel.store import calls, outbox
from kernel.store import promotions as kept
from kernel.store.promotions import PromotedCall, Promotion
from kernel.types import Text
from rules.engine.autonomy import proposals
from rules.engine.autonomy.evidence import evidence_of
from rules.engine.autonomy.kinds import CallKind, fingerprint, kind_of
from rules.engine.record import outcome_of, preview_of
from rules.engine.words import parse_percent, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from kernel.clock import Clock, Ids
    from kernel.store import Session, Store
    from kernel.store.calls import CallState
    from kernel.types import Json, RunFacts
    from rules.engine.facts import CallFacts
    from rules.engine.language import Rule
    from rules.engine.promote_words import Promote
    from rules.engine.questions import Questions
    from rules.engine.rulebook import RuleBook
    from rules.engine.ruleset import RuleSet
    from rules.engine.tooling import Tools

SETTLE_EVERY = timedelta(seconds=5)
NO_MORE = {
    "rejected": "people rejected such a call",
    "edited": "people corrected such a call",
    "undone": "such a call was undone",
    "failed": "such a call failed",
}


@dataclass(frozen=True, kw_only=True)
class _Met:
    """A call that has its result, and a rule about it that can be promoted."""

    rule: Rule
    promote: Promote
    kind: CallKind
    run: RunFacts
    failed: bool


class Autonomy:
    """`surroundings.Source` of what is promoted, and `results.Watcher` of what comes of calls."""

    def __init__(  # what it works with, bound once by the composition root
        self, *, store: Store, clock: Clock, ids: Ids, rules: RuleBook, tools: Tools, agent: Callable[[str], str]
    ) -> None:
        """`agent` gives the digest of an agent's definition; empty where there is no such agent."""
        self.store = store
        self.clock = clock
        self.ids = ids
        self.rules = rules
        self.tools = tools
        self.agent = agent
        self.questions: Questions | None = None  # bound once there are approvals; without, nothing is proposed
        self._settled: datetime | None = None

    # -- what a decision has to know ------------------------------------------------------------------------------

    def concerns(self, rules: RuleSet, facts: CallFacts) -> bool:
        """Whether a rule about the call can be promoted."""
        return bool(rules.promoting) and any(self._promoting(rules, facts))

    def known(self, session: Session, rules: RuleSet, facts: CallFacts) -> Mapping[str, object]:
        """The rules that are promoted for exactly this call."""
        found = set()
        for rule, promote in self._promoting(rules, facts):
            kind = kind_of(rule, promote, facts.agent, facts.tool, facts.arguments)
            row = self._newest(session, kind) if kind is not None else None
            if row is not None and row.state == kept.ACTIVE and not self.why_not(session, row, rule):
                found.add(rule.id)
        return {"promoted": frozenset(found)}

    def _promoting(self, rules: RuleSet, facts: CallFacts) -> Iterator[tuple[Rule, Promote]]:
        known = rules.candidates(facts.agent, facts.tool, facts.effect)
        for each in (*known.ask, *known.otherwise_ask):
            if each.rule.promote is not None:
                yield each.rule, each.rule.promote

    def why_not(self, session: Session, row: Promotion, rule: Rule | None) -> str:
        """Why an active promotion holds no more; empty while it does."""
        promote = rule.promote if rule is not None else None
        if rule is None or promote is None:
            return "the rule is gone, or is promoted no more"
        if row.expires_at is None or row.expires_at <= self.clock.now():
            return "its time is up"
        if row.fingerprint != self._fingerprint(rule, row.agent, row.tool):
            return "the rule, the tool or the agent was changed"
        setback = self._setback(session, row, rule, promote)
        return NO_MORE[setback] if setback in promote.back_to_ask_on else ""

    def _setback(self, session: Session, row: Promotion, rule: Rule, promote: Promote) -> str:
        if kept.was_undone(session, row.id):
            return "undone"
        if kept.was_rejected(session, row.id):
            return "rejected"
        kind = _kind(row)
        for asked in rows.about(session, row.agent, row.tool, row.promoted_at or row.proposed_at, 500):
            if (
                rule.id in asked.rules["ids"]
                and kind_of(rule, promote, asked.agent, asked.tool, asked.arguments) == kind
            ):
                if asked.state == rows.REJECTED:
                    return "rejected"
                if outcome_of(asked).edits:
                    return "edited"
        return ""

    def _fingerprint(self, rule: Rule, agent: str, tool: str) -> str:
        known = self.tools.get(tool)
        return "" if known is None else fingerprint(rule, known, self.agent(agent))

    def _newest(self, session: Session, kind: CallKind) -> Promotion | None:
        return kept.newest(session, kind.rule, kind.agent, kind.tool, kind.scope)

    # -- what comes of calls --------------------------------------------------------------------------------------

    def finished(self, session: Session, call_id: str, run: RunFacts, *, failed: bool) -> None:
        """A call has its result, in the transaction that writes it."""
        rules = self.rules.current
        if not rules.promoting:
            return
        call = calls.by_id(session, call_id)
        if call is None or not call.verdict:
            return
        asked = rows.of_call(session, call_id)
        ids = call.verdict["rules"] if asked is None else asked.rules["ids"]
        for rule_id in ids:
            rule = rules.rule(rule_id)
            if rule is None or rule.promote is None:
                continue
            kind = kind_of(rule, rule.promote, call.agent, call.tool, call.arguments)
            if kind is None:
                continue
            met = _Met(rule=rule, promote=rule.promote, kind=kind, run=run, failed=failed)
            if call.verdict.get("promoted"):
                self._went_alone(session, met, call)
            elif asked is not None and asked.kind == "call":
                self._was_approved(session, met)

    def _went_alone(self, session: Session, met: _Met, call: CallState) -> None:
        row = self._newest(session, met.kind)
        if row is None or row.state != kept.ACTIVE:
            return
        reviewed = not met.failed and _is_sampled(call.id, parse_percent(met.promote.review))
        noted = PromotedCall(call_id=call.id, promotion_id=row.id, reviewed=reviewed, at=self.clock.now())
        kept.add_call(session, noted)
        if met.failed and "failed" in met.promote.back_to_ask_on:
            self._end(session, row, NO_MORE["failed"])
        elif reviewed and self.questions is not None:
            proposals.ask_review(self.questions, session, met.rule, met.kind, call, met.run)

    def _was_approved(self, session: Session, met: _Met) -> None:
        row = self._newest(session, met.kind)
        if row is not None and row.state == kept.ACTIVE:
            if met.failed and "failed" in met.promote.back_to_ask_on:
                self._end(session, row, NO_MORE["failed"])
            return
        if self.questions is None or (row is not None and row.state == kept.PROPOSED):
            return
        now = self.clock.now()
        after = row.ended_at if row is not None else None
        found = evidence_of(session, met.rule, met.kind, now, after)
        if not found.is_enough(met.promote):
            return
        fresh = Promotion(
            id=self.ids.new(),
            rule=met.rule.id,
            agent=met.kind.agent,
            tool=met.kind.tool,
            scope=met.kind.scope,
            fingerprint=self._fingerprint(met.rule, met.kind.agent, met.kind.tool),
            evidence=found.model_dump(mode="json"),
            proposed_at=now,
        )
        kept.add(session, fresh)
        text = proposals.text_of(session, self.rules.current, met.rule, met.kind, found, now)
        card = proposals.ask(self.questions, session, fresh.id, met.rule, met.kind, text, met.run)
        self._tell(session, fresh, "promotion.proposed", approval=card.ref, evidence=list(found.refs))

    # -- what people decide, and what time does -------------------------------------------------------------------

    async def settle(self) -> None:
        """Put in force what people agreed to, and end what holds no more. Cheap: a few rows, every few seconds."""
        now = self.clock.now()
        if self._settled is not None and now - self._settled < SETTLE_EVERY:
            return
        self._settled = now
        open_ = await self.store.read(lambda session: kept.listing(session, kept.PROPOSED, kept.ACTIVE))
        if open_:
            await self.store.write(self._settle)

    def _settle(self, session: Session) -> None:
        rules = self.rules.current
        for row in kept.listing(session, kept.PROPOSED):
            self._decided(session, row, rules.rule(row.rule))
        for row in kept.listing(session, kept.ACTIVE):
            reason = self.why_not(session, row, rules.rule(row.rule))
            if reason:
                self._end(session, row, reason)

    def _decided(self, session: Session, row: Promotion, rule: Rule | None) -> None:
        card = rows.of_call(session, proposals.proposal_id(row.id))
        if card is not None and card.state == rows.PENDING:
            return
        now = self.clock.now()
        approved = card is not None and card.state in {rows.APPROVED, rows.CONSUMED}
        promote = rule.promote if rule is not None else None
        if not approved or rule is None or promote is None:
            reason = f"the proposal was {card.state}" if card is not None else "the proposal is gone"
            self._close(session, row, kept.PROPOSED, kept.DECLINED, reason)
            return
        if row.fingerprint != self._fingerprint(rule, row.agent, row.tool):
            self._close(session, row, kept.PROPOSED, kept.DECLINED, "the rule, the tool or the agent was changed")
            return
        until = now + timedelta(seconds=seconds(promote.expires))
        if kept.move(session, row.id, kept.PROPOSED, kept.ACTIVE, promoted_at=now, expires_at=until):
            self._tell(session, row, "promotion.active", approval=card.ref if card else "", until=until.isoformat())
            said = f"From now on `{row.rule}` lets this through without asking, until {until:%d %b %Y}: "
            self._say(session, row, f"{said}{_kind(row).in_words()}.")

    def _end(self, session: Session, row: Promotion, reason: str) -> None:
        if self._close(session, row, kept.ACTIVE, kept.ENDED, reason):
            self._say(session, row, f"`{row.rule}` asks again about {_kind(row).in_words()}: {reason}.")

    def _close(self, session: Session, row: Promotion, before: str, after: str, reason: str) -> bool:
        now = self.clock.now()
        if not kept.move(session, row.id, before, after, ended_at=now, reason=reason):
            return False
        self._tell(session, row, f"promotion.{after}", reason=reason)
        return True

    def _tell(self, session: Session, row: Promotion, kind: str, **told: Json) -> None:
        about = {"rule": row.rule, "agent": row.agent, "tool": row.tool, "scope": row.scope}
        ledger.append(session, self.clock.now(), kind, row.id, {**about, **told})

    def _say(self, session: Session, row: Promotion, markdown: str) -> None:
        card = rows.of_call(session, proposals.proposal_id(row.id))
        if card is not None:
            place = preview_of(card).place
            outbox.put(session, self.ids.new(), place, Text(markdown=markdown), self.clock.now())


def _kind(row: Promotion) -> CallKind:
    return CallKind(rule=row.rule, agent=row.agent, tool=row.tool, scope=row.scope)


def _is_sampled(call_id: str, percent: int) -> bool:
    """The same call is always or never in the sample, and nobody can foresee which one will be."""
    return int.from_bytes(hashlib.sha256(call_id.encode()).digest()[:4]) % 100 < percent
