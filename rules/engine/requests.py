"""Asking people: the row of an approval, its ledger entry and its cards, in the transaction of the call that waits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from kernel.errors import StoreError
from kernel.store import approvals as rows
from kernel.store import outbox, wake
from kernel.store.approvals import ApprovalState
from rules.engine import batching, planning, writing
from rules.engine.cards import card, stub
from rules.engine.facts import origins_to_json
from rules.engine.policy import ADMIN, REQUESTER, Group, Policy
from rules.engine.record import policy_of, preview_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.store import Session
    from kernel.store.calls import CallState
    from kernel.types import Card, Json, Place, RunFacts
    from rules.engine.decide import Verdict
    from rules.engine.facts import Origins
    from rules.engine.record import Preview
    from rules.engine.services import Services

REFERENCE = 4  # characters of a reference; longer ones are taken where the short ones are used up
UNKNOWN_EXPIRES = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Request:
    """One exact call for which people are asked."""

    call_id: str
    tool: str
    arguments: Mapping[str, Json]
    digest: str
    origins: Mapping[str, Origins]
    verdict: Verdict
    preview: Preview
    run: RunFacts


class Requests:
    """Writes approvals."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def ask(self, session: Session, request: Request) -> ApprovalState:
        """Ask for a decision on the call. The cards are queued in the same transaction."""
        return self.put(
            session,
            request.run,
            request.preview,
            self._policy(request.verdict, request.run),
            call_id=request.call_id,
            tool=request.tool,
            arguments=request.arguments,
            digest=request.digest,
            origins=request.origins,
            rules={"ids": list(request.verdict.rules), "version": request.verdict.version},
            reason=request.verdict.reason,
        )

    def put(
        self,
        session: Session,
        run: RunFacts,
        preview: Preview,
        policy: Policy,
        *,
        call_id: str,
        kind: str = "call",
        tool: str,
        arguments: Mapping[str, Json],
        digest: str,
        origins: Mapping[str, Origins] | None = None,
        rules: Json = None,
        reason: str,
    ) -> ApprovalState:
        """Ask people whom `policy` names about what `run` is at, until the policy's time is over.

        `rules` are those that asked; where none did, only the version in force is kept.
        """
        now = self.services.clock.now()
        row = ApprovalState(
            id=self.services.ids.new(),
            call_id=call_id,
            run_id=run.run_id,
            kind=kind,
            agent=run.agent,
            tool=tool,
            requester=run.requester.id,
            arguments=dict(arguments),
            digest=digest,
            origins=origins_to_json(origins or {}),
            preview=preview.model_dump(mode="json", exclude_defaults=True),
            policy=policy.model_dump(mode="json"),
            rules=rules or {"ids": [], "version": self.services.rules.current.version},
            reason=reason,
            created_at=now,
            expires_at=now + policy.lifetime,
        )
        return self.open(session, row)

    def ask_again(
        self, session: Session, old: ApprovalState, verdict: Verdict, run: RunFacts, preview: Preview | None = None
    ) -> ApprovalState:
        """A new request for the same call: the rules have changed since it was approved, or a budget was raised."""
        why = "The budget was raised" if old.kind == "raise" else f"The rules have changed since {old.ref} was approved"
        now = self.services.clock.now()
        policy = self._policy(verdict, run)
        row = replace(
            old,
            id=self.services.ids.new(),
            kind="call",
            revision=1,
            policy=policy.model_dump(mode="json"),
            rules={"ids": list(verdict.rules), "version": verdict.version},
            preview=old.preview if preview is None else preview.model_dump(mode="json", exclude_defaults=True),
            reason=f"{why}. {verdict.reason}",
            state=rows.PENDING,
            outcome=None,
            created_at=now,
            expires_at=now + policy.lifetime,
            decided_at=None,
        )
        return self.open(session, row)

    def ask_outcome(self, session: Session, call: CallState, preview: Preview, run: RunFacts) -> ApprovalState:
        """Ask what became of a call that was started and whose end nobody saw."""
        now = self.services.clock.now()
        before = rows.of_call(session, call.id)
        roles = sorted(policy_of(before).roles) if before else []
        group = Group(who=tuple(dict.fromkeys((REQUESTER, *roles, ADMIN))), not_requester=False)
        row = ApprovalState(
            id=self.services.ids.new(),
            call_id=call.id,
            run_id=call.run_id,
            kind="unknown",
            agent=call.agent,
            tool=call.tool,
            requester=run.requester.id,
            arguments=call.arguments,
            digest=call.digest,
            origins=call.origins or {},
            preview=preview.model_dump(mode="json", exclude_defaults=True),
            policy=Policy(groups=(group,)).model_dump(mode="json"),
            rules={"ids": [], "version": self.services.rules.current.version},
            reason="The call was cut off after it had begun, so it may have happened.",
            created_at=now,
            expires_at=now + UNKNOWN_EXPIRES,
        )
        return self.open(session, row)

    def _policy(self, verdict: Verdict, run: RunFacts) -> Policy:
        attended = run.requester.can_decide and run.workflow is None
        return reachable(verdict.policy or self.services.rules.current.fallback, attended=attended)

    def open(self, session: Session, row: ApprovalState) -> ApprovalState:
        """Write the row under a free reference, tell the ledger, and queue the cards."""
        home, others = preview_of(row).place, self._others(preview_of(row).place, policy_of(row))
        wider = [place.lane for place in others if self.services.directory.wider(home, place)]
        if wider:
            row.preview = {**row.preview, "private": True}
        joined = self._add(session, row)
        told = {"rules": row.rules["ids"], "version": row.rules["version"], "about": row.kind, "policy": row.policy}
        writing.tell(session, row.created_at, "approval.requested", row, **told)
        planning.plan(session, row, row.created_at)
        if joined:
            writing.redraw(session, row)
            return row
        subject = row.batch or row.ref
        self._show(session, row, home, card(row), subject)
        for place in others:
            if place.lane in wider:
                self._show(session, row, place, stub(row), writing.stub_subject(subject))
            else:
                self._show(session, row, place, card(row), subject)
        wake(session, writing.TOPIC, row.ref)
        return row

    def _show(self, session: Session, row: ApprovalState, place: Place, body: Card, subject: str) -> None:
        outbox.put(session, self.services.ids.new(), place, body, row.created_at, run_id=row.run_id, subject=subject)

    def _others(self, home: Place, policy: Policy) -> list[Place]:
        """Where the card is shown beside the thread of the request: the channels that the rule names."""
        names = policy.where
        asks_others = any(group.who != (REQUESTER,) for group in policy.groups)
        if not names and home.kind == "dm" and asks_others and self.services.fallback_channel:
            names = (self.services.fallback_channel,)
        found = (self.services.directory.channel(name, home.platform, home.tenant) for name in names)
        places = {place.lane: place for place in found if place is not None and place.lane != home.lane}
        return list(places.values())

    def _add(self, session: Session, row: ApprovalState) -> bool:
        """Write the row under the first reference that is free; True where it joins others on their card."""
        known = batching.joins(session, row)
        for length in (*[REFERENCE] * 8, *range(REFERENCE + 1, REFERENCE + 9)):
            row.ref = f"AP-{self.services.ids.short(length)}"
            row.batch = known or batching.begun_by(row)
            if rows.add(session, row):
                return bool(known)
        raise StoreError("No free reference for an approval was found.")


def reachable(policy: Policy, *, attended: bool) -> Policy:
    """The policy, with an admin in the place of a requester who cannot decide: a workflow, a guest."""
    if attended:
        return policy
    groups = tuple(
        group.model_copy(update={"who": (ADMIN,), "not_requester": False}) if group.who == (REQUESTER,) else group
        for group in policy.groups
    )
    return policy.model_copy(update={"groups": groups})
