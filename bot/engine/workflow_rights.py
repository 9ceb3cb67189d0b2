"""The decision rights as workflows use them: the door for their calls, approvals for their questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine.home_budgets import shown
from kernel.errors import NotAllowed
from rules.engine import freezing
from rules.engine.budget_text import uses
from rules.engine.judging import UnfitError
from rules.engine.policy import in_words
from rules.engine.questions import said_of
from workflows.engine.rights import Decided, Foreseen, Spent, Within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from kernel.store import Session
    from kernel.store.approvals import ApprovalState
    from kernel.types import Person, RunFacts, ToolCall
    from rules.engine.approvals import Approvals
    from rules.engine.door import Door
    from rules.engine.meters import Meter
    from rules.engine.outcome import Freeze, Outcome
    from workflows.engine.rights import Question


class WorkflowRights:
    """`workflows.engine.rights.Rights`."""

    def __init__(self, door: Door, approvals: Approvals, meters: Callable[[], Iterable[Meter]]) -> None:
        """`meters` are the budgets and limits in force."""
        self.meters = meters
        self.door = door
        self.approvals = approvals

    async def act(self, call: ToolCall, facts: RunFacts, entry: int) -> Outcome:
        """Decide about the call and do it where allowed."""
        return await self.door.act(call, facts, entry)

    async def foresee(self, call: ToolCall, facts: RunFacts, at: datetime) -> Foreseen:
        """What the rules would say to the call at that time."""
        try:
            verdict = (await self.door.foresee(call, facts, at)).verdict
        except UnfitError as error:
            raise NotAllowed(str(error)) from error
        policy = verdict.policy if verdict.decision == "ask" else None
        return Foreseen(
            decision=verdict.decision,
            reason=verdict.reason,
            who=in_words(policy) if policy is not None else "",
            roles=tuple(sorted(policy.roles)) if policy is not None else (),
        )

    def reachable(self, facts: RunFacts, at: datetime) -> list[Within]:
        """The agent's tools, in order of name."""
        return [
            Within(
                tool=name,
                how=found.how,
                who=in_words(found.policy) if found.policy is not None else "",
                roles=tuple(sorted(found.policy.roles)) if found.policy is not None else (),
            )
            for name, found in sorted(self.door.reachable(facts, at).items())
        ]

    async def waiting_for(self, person: Person) -> frozenset[str]:
        """References of the approvals that this person can decide now and has not voted on."""
        return frozenset(one.ref for one in await self.approvals.waiting_for(person, None, 500))

    def spent(self, session: Session, now: datetime) -> list[Spent]:
        """Of all budgets and limits, the most used first."""
        found = [
            Spent(
                **shown(use).model_dump(),
                channel=str(use.account.get("channel", "")),
                private="person" in use.account or bool(use.account["same"]),
            )
            for use in uses(session, self.meters(), now)
        ]
        return sorted(found, key=lambda use: -use.percent)

    async def frozen(self, channel: str) -> Freeze | None:
        """What stands in the way of any work in this channel."""
        return await self.door.frozen("", channel)

    def hold(self, session: Session, run_id: str, freeze: Freeze) -> bool:
        """The run waits for the thaw from now on; False if it has come already."""
        return freezing.hold(session, run_id, freeze, self.door.clock.now())

    def ask(self, session: Session, question: Question, facts: RunFacts) -> Decided:
        """Ask people, once."""
        return _decided(
            self.approvals.questions.ask(
                session, question.id, question.headline, question.text, question.policy, question.why, facts
            )
        )

    def decided(self, session: Session, question_id: str) -> Decided | None:
        """What has become of it."""
        row = self.approvals.questions.about(session, question_id)
        return _decided(row) if row is not None else None

    def go_on_if_decided(self, session: Session, run_id: str, refs: tuple[str, ...]) -> None:
        """Make the run's next segment ready if one of the decisions fell before the run was parked."""
        self.approvals.questions.go_on_if_decided(session, run_id, refs)

    def withdraw(self, session: Session, run_id: str, reason: str) -> object:
        """No decision on this run's calls and questions is wanted any more."""
        return self.approvals.withdraw(session, run_id, reason)


def _decided(row: ApprovalState) -> Decided:
    by, reason = said_of(row)
    return Decided(ref=row.ref, state=row.state, by=by, reason=reason)
