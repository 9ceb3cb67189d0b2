"""What has become of a call that people were asked about. An approval is used up here, once, if it still holds."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernel import ledger
from kernel.store import approvals as rows
from kernel.store import calls, runs
from kernel.types import Labelled, ToolResult
from rules.engine import facts as facts_of_calls
from rules.engine import freezing, metering, raising, readers, recording, wording, writing
from rules.engine.decide import decide
from rules.engine.outcome import Finished, Outcome, Parked, SegmentOvertaken
from rules.engine.preview import plain, preview
from rules.engine.record import outcome_of, policy_of
from rules.engine.requests import reachable
from rules.engine.surroundings import asked
from rules.engine.tooling import call_digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from kernel.store import Session
    from kernel.store.approvals import ApprovalState
    from kernel.store.calls import CallState
    from kernel.types import Json, RunFacts
    from rules.engine.decide import Verdict
    from rules.engine.facts import CallFacts
    from rules.engine.policy import Policy
    from rules.engine.record import Outcome as Record
    from rules.engine.requests import Requests
    from rules.engine.services import Services

log = logging.getLogger(__name__)

WAITING = (runs.ASKED, runs.UNKNOWN)


@dataclass(frozen=True, kw_only=True)
class Go:
    """The call has begun, by what is committed with this answer: do it with exactly these arguments."""

    call_id: str
    tool: str
    arguments: Mapping[str, Json]
    digest: str
    approval: ApprovalState | None = None  # that was used up for it
    note: str = ""  # what the agent has to know of an edit


class Consuming:
    """Decides, inside one transaction, how a call goes on that waited for people."""

    def __init__(self, services: Services, requests: Requests) -> None:
        self.services = services
        self.requests = requests

    def resolve(
        self, session: Session, ref: str, call: CallState, run: RunFacts, unsure: frozenset[str]
    ) -> Outcome | Go:
        """The outcome of `call`, about which people were asked as `ref`, or that it begins now.

        FrozenError where it has to wait for a thaw, OverspentError where another call took what is left of a budget:
        the approval stays as it is. The call may have been read before this transaction: whatever is written of it
        compares its state first.
        """
        now = self.services.clock.now()
        recording.fence(session, run)
        row = rows.by_ref(session, ref, lock=True)
        if row is None:
            raise SegmentOvertaken
        if row.state == rows.PENDING:
            return Parked(refs=(row.ref,))
        if row.state == rows.CONSUMED:  # another worker of this segment was faster
            raise SegmentOvertaken
        if row.state != rows.APPROVED:
            return self._end(session, call, wording.told_of(row), now)
        if outcome_of(row).answer == "done":
            return self._confirmed(session, row, call, now)
        freezing.fence(session, run, call.tool)
        return self._begin(session, row, call, run, unsure)

    def _begin(
        self, session: Session, row: ApprovalState, call: CallState, run: RunFacts, unsure: frozenset[str]
    ) -> Outcome | Go:
        now = self.services.clock.now()
        if not _is_what_was_approved(row, call):
            log.error("the arguments of %s are not the ones that were approved", row.ref)
            return self._withdraw(session, row, call, "its content is not what was approved", now)
        facts = self._facts(session, row, run, unsure, now)
        if row.kind == raising.KIND:
            raising.apply(session, self.services, row, facts)
            facts = asked(self.services, session, self.services.rules.current, facts)
        verdict = decide(self.services.rules.current, facts)
        if verdict.decision == "deny":
            why = verdict.reason.rstrip(".")
            return self._withdraw(session, row, call, f"the rules now deny it: {why}", now)
        approved = self._approved_policy(session, row)
        attended = run.requester.can_decide and run.workflow is None
        outcome = outcome_of(row)
        if verdict.policy is not None:
            wanted = reachable(verdict.policy, attended=attended)
            if approved is None or not _still_enough(wanted, approved, outcome):
                return self._ask_again(session, row, call, verdict, run)
        now_judged = {**verdict.record(), "context": facts.context()}
        judged = now_judged if row.digest != call.digest else {**call.verdict, recording.BEGUN: now_judged}
        metering.take(session, self.services, call.id, verdict, facts, run.place)
        started = writing.consume(session, row) and calls.move(
            session,
            call.id,
            WAITING,
            runs.STARTED,
            arguments=row.arguments,
            digest=row.digest,
            origins=row.origins,
            verdict=judged,  # about exactly these arguments
            started_at=now,
        )
        if not started:
            raise SegmentOvertaken
        begun = recording.approved_entry(row, outcome.allowed_by, verdict.version)
        ledger.append_all(session, now, (writing.record("approval.consumed", row), begun))
        return Go(
            call_id=call.id,
            tool=row.tool,
            arguments=row.arguments,
            digest=row.digest,
            approval=row,
            note=_edit_note(row),
        )

    def _facts(
        self, session: Session, row: ApprovalState, run: RunFacts, unsure: frozenset[str], now: datetime
    ) -> CallFacts:
        """What the rules in force look at, of the approved call at this moment."""
        tool = self.services.tools.get(row.tool)
        facts = facts_of_calls.of_run(
            run,
            tool=row.tool,
            effect=tool.effect if tool is not None else None,
            arguments=row.arguments,
            origins=facts_of_calls.origins_from_json(row.origins),
            now=now,
            unsure_roles=unsure,
            governed=tool,
            wider_readers=readers.wider(tool, row.arguments, run, self.services.directory),
        )
        return asked(self.services, session, self.services.rules.current, facts)

    def _approved_policy(self, session: Session, row: ApprovalState) -> Policy | None:
        """The policy that people have satisfied for this call; None if nobody was asked before it began."""
        if row.kind == "call":
            return policy_of(row)
        asked = [each for each in rows.of_run(session, row.run_id) if each.call_id == row.call_id]
        return next((policy_of(each) for each in reversed(asked) if each.kind == "call"), None)

    def _ask_again(
        self, session: Session, row: ApprovalState, call: CallState, verdict: Verdict, run: RunFacts
    ) -> Outcome:
        now = self.services.clock.now()
        if row.kind == raising.KIND:  # it was raised; the call itself is a question of its own
            writing.settle(session, row, rows.CONSUMED, outcome_of(row).model_copy(update={"done_at": now}), now)
        else:
            writing.withdraw(session, row, "the rules have changed since it was approved", now)
        calls.move(session, call.id, WAITING, runs.ASKED)
        tool = self.services.tools.get(row.tool) if row.kind == raising.KIND else None
        shown = None
        if tool is not None:
            origins = facts_of_calls.origins_from_json(row.origins)
            shown = preview(tool, row.arguments, origins, run, plain(tool, row.arguments), claim="", nearest="")
        return Parked(refs=(self.requests.ask_again(session, row, verdict, run, shown).ref,))

    def _withdraw(self, session: Session, row: ApprovalState, call: CallState, reason: str, now: datetime) -> Outcome:
        writing.withdraw(session, row, reason, now)
        return self._end(session, call, wording.told_of(row), now)

    def _confirmed(self, session: Session, row: ApprovalState, call: CallState, now: datetime) -> Outcome:
        """A person says that the call whose end nobody saw did happen."""
        outcome = outcome_of(row)
        sentence = f"It was cut off; {outcome.by} has looked and says that it was done."
        sentence += " What came of it, in their words:" if outcome.result else " What it returned is not known."
        pieces = [Labelled(text=sentence, origin="nowhere")]
        if outcome.result:
            pieces.append(Labelled(text=outcome.result, origin="member_text"))
        result = ToolResult(
            content=" ".join(piece.text for piece in pieces), pieces=tuple(pieces), summary="Confirmed as done"
        )
        writing.settle(session, row, rows.CONSUMED, outcome.model_copy(update={"done_at": now}), now)
        calls.move(session, call.id, WAITING, runs.CALL_DONE, result=result.model_dump(mode="json"), done_at=now)
        ledger.append(session, now, "tool.done", call.id, {"run": call.run_id, "confirmed_by": outcome.by})
        return Finished(result=result)

    def _end(self, session: Session, call: CallState, result: ToolResult, now: datetime) -> Outcome:
        if calls.refuse(session, call.id, WAITING, result.model_dump(mode="json"), now):
            ledger.append(session, now, "call.refused", call.id, {"run": call.run_id, "tool": call.tool})
        return Finished(result=result)


def _still_enough(wanted: Policy, approved: Policy, outcome: Record) -> bool:
    """Whether what people did suffices by the rules of today. Who decided alone must still be one who may."""
    if outcome.broke_glass:
        return wanted.break_glass is not None and outcome.broke_glass in wanted.break_glass.who
    return wanted.within(approved)


def _is_what_was_approved(row: ApprovalState, call: CallState) -> bool:
    """The digest fits the arguments, and without an edit both are those of the call."""
    try:
        found = call_digest(row.tool, row.arguments)
    except ValueError:
        return False
    edited = bool(outcome_of(row).edits)
    return found == row.digest and row.tool == call.tool and (edited or row.digest == call.digest)


def _edit_note(row: ApprovalState) -> str:
    edits = outcome_of(row).edits
    if not edits:
        return ""
    names = ", ".join(dict.fromkeys(name for edit in edits for name in edit.changed))
    return f"Before it was approved, {wording.listed(dict.fromkeys(edit.by for edit in edits))} changed: {names}."
