"""How a segment ends: each function is one transaction's work, on a run that the caller has fenced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import ledger
from kernel.store import outbox, runs, wake
from kernel.store.runs import Conversation
from kernel.types import Text

if TYPE_CHECKING:
    from datetime import datetime

    from agents.engine.model import ModelAnswer
    from agents.engine.ports import Closing
    from kernel.store import Session
    from kernel.store.runs import Run
    from kernel.types import Body


def show(session: Session, run: Run, body: Body, now: datetime) -> None:
    """Bring the run's one message to `body`: it is posted at the first time and edited from then on.

    Its id follows from the run, so a step that runs again cannot post it again.
    """
    row_id = run.progress_id or f"{run.id}-answer"
    if run.progress_id is None:
        run.progress_id = row_id
        session.add(run)
        if outbox.put(session, row_id, run.where, body, now, run_id=run.id):
            return
    outbox.revise(session, row_id, body)


def count(run: Run, spent: list[ModelAnswer]) -> None:
    """Add what the model's answers cost."""
    for answer in spent:
        run.model_calls += 1
        run.tokens_in += answer.usage.prompt
        run.tokens_out += answer.usage.output
        run.cost_usd += answer.cost_usd


def end(session: Session, run: Run, state: str, body: Text, now: datetime, *, closing: Closing | None) -> None:
    """End the run in `state` with `body` as its last word: state, message, ledger and the waiting ones, all at once."""
    run.state = state
    run.updated_at = now
    run.retry_at = None
    session.add(run)
    if run.parent_id is None:
        show(session, run, body, now)
    if run.conversation_id is not None:
        _free(session, run, now)
    if closing is not None:
        closing(session, run)
    session.flush()
    ledger.append(session, now, f"run.{state}", run.id, _record(run))
    parent = run.parent_id
    if parent is not None:
        runs.next_segment(session, parent, now)


def _free(session: Session, run: Run, now: datetime) -> None:
    conversation = session.get(Conversation, run.conversation_id)
    if conversation is None:
        return
    conversation.active_at = now
    if conversation.active_run_id == run.id:
        conversation.active_run_id = None
    session.add(conversation)
    wake(session, runs.ENDED, conversation.id)


def _record(run: Run) -> dict[str, object]:
    return {
        "ref": run.ref,
        "agent": run.agent,
        "requester": run.requester,
        "by": run.stop_requested_by if run.state == runs.STOPPED else None,
        "error": run.error,
        "model_calls": run.model_calls,
        "tokens_in": run.tokens_in,
        "tokens_out": run.tokens_out,
        "cost_usd": round(run.cost_usd, 6),
    }
