"""Decisions that are no tool call: a step of a workflow asks people whether it may go on. Same cards, same votes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.canonical import digest
from kernel.store import approvals as rows
from kernel.store import runs
from kernel.store.approvals import ApprovalState
from kernel.types import Payload
from rules.engine.record import Preview, outcome_of

if TYPE_CHECKING:
    from kernel.store import Session
    from kernel.types import RunFacts
    from rules.engine.policy import Policy
    from rules.engine.requests import Requests
    from rules.engine.services import Services

KIND = "question"  # of the approval
TOOL = "decision"  # what stands in its place of the tool


class Questions:
    """Asks, and says what has become of it."""

    def __init__(self, services: Services, requests: Requests) -> None:
        self.services = services
        self.requests = requests

    def ask(  # noqa: PLR0917  what a question consists of
        self, session: Session, question_id: str, headline: str, text: str, policy: Policy, why: str, run: RunFacts
    ) -> ApprovalState:
        """Ask once for each `question_id`; the vote that decides makes the run's next segment ready."""
        known = rows.of_call(session, question_id)
        if known is not None:
            return known
        asked = {"question": headline, "text": text}
        payloads = (Payload(title="What you decide about", content=text, language="text"),) if text else ()
        preview = Preview(
            headline=headline,
            payloads=payloads,
            effect="",
            requester=run.requester.name,
            run=run.ref,
            place=run.place,
            channel=run.channel_name,
        )
        return self.requests.put(
            session,
            run,
            preview,
            policy,
            call_id=question_id,
            kind=KIND,
            tool=TOOL,
            arguments=asked,
            digest=digest(asked),
            reason=why,
        )

    def about(self, session: Session, question_id: str) -> ApprovalState | None:
        """The approval of a question; None where it was not asked yet."""
        return rows.of_call(session, question_id)

    def go_on_if_decided(self, session: Session, run_id: str, refs: tuple[str, ...]) -> None:
        """Make the run's next segment ready if one of these decisions fell before the run was parked."""
        found = [rows.by_ref(session, ref) for ref in refs]
        if any(row is None or row.state != rows.PENDING for row in found):
            runs.next_segment(session, run_id, self.services.clock.now())


def said_of(row: ApprovalState) -> tuple[str, str]:
    """Who decided, and the reason that they gave."""
    outcome = outcome_of(row)
    return outcome.by, outcome.reason
