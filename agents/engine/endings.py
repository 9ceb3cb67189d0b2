"""How a segment ends: each function is part of one transaction, on a run that the caller has taken and will keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.engine import wording
from kernel import ledger
from kernel.canonical import digest
from kernel.store import inbox, outbox, run_steps, runs, wake
from kernel.types import Text
from rules.engine import endings as approvals

if TYPE_CHECKING:
    from datetime import datetime

    from agents.engine.model import ModelAnswer
    from agents.engine.ports import Closing
    from kernel.store import Session
    from kernel.store.run_steps import RunState
    from kernel.types import Body, Progress


def show(session: Session, run: RunState, body: Body, now: datetime) -> None:
    """Bring the run's one message to `body`: it is posted at the first time and edited from then on.

    Its id follows from the run, so a step that runs again cannot post it again.
    """
    row_id = run.progress_id or f"{run.id}-answer"
    paused = run.progress_id is not None
    run.progress_id = row_id
    if paused and outbox.revise(session, row_id, body):
        return
    if not outbox.put(session, row_id, run.where, body, now, run_id=run.id):
        outbox.revise(session, row_id, body)
    elif paused:
        for earlier, shown in outbox.progress_of(session, run.id, but=row_id):
            outbox.revise(session, earlier, wording.first_part(shown))


def pause(session: Session, run: RunState, body: Progress) -> None:
    """The run waits for people: what it shows says so, and what comes after that is said below their cards.

    Where nothing is shown yet, nothing changes: what is said first comes below them anyhow.
    """
    if run.progress_id is not None and outbox.revise(session, run.progress_id, body):
        run.progress_id = f"{run.id}-answer-{run.segment}"


def count(run: RunState, spent: list[ModelAnswer]) -> None:
    """Add what the model's answers cost."""
    for answer in spent:
        run.model_calls += 1
        run.tokens_in += answer.usage.prompt
        run.tokens_out += answer.usage.output
        run.cost_usd += answer.cost_usd


def end(session: Session, run: RunState, state: str, body: Text, now: datetime, *, closing: Closing | None) -> None:
    """End the run in `state` with `body` as its last word: state, message, ledger and the waiting ones, all at once."""
    run.state = state
    run.updated_at = now
    run.retry_at = None
    if state == runs.STOPPED:  # what it had asked about while the stop came
        approvals.withdraw(session, run.id, "the run was stopped", now)
    if run.parent_id is None:
        show(session, run, body, now)
    if run.conversation_id is not None:
        run_steps.free(session, run.conversation_id, run.id, now)
        if inbox.waits(session, run.conversation_id):
            wake(session, runs.ENDED, run.conversation_id)
    if closing is not None:
        closing(session, run)
    ledger.append(session, now, f"run.{state}", run.id, _record(run))
    if run.parent_id is not None:
        runs.next_segment(session, run.parent_id, now)


def _record(run: RunState) -> dict[str, object]:
    return {
        "ref": run.ref,
        "agent": run.agent,
        "requester": run.requester,
        "request": digest(run.request),
        "by": run.stop_requested_by if run.state == runs.STOPPED else None,
        "error": run.error,
        "model_calls": run.model_calls,
        "tokens_in": run.tokens_in,
        "tokens_out": run.tokens_out,
        "cost_usd": round(run.cost_usd, 6),
    }
