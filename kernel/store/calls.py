"""The hot statements on tool calls; the table stands beside the runs. Core statements: one round trip each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlmodel import Session, col, select

from kernel.store.database import insert_new
from kernel.store.runs import CALL_DONE, FINAL, REFUSED, STARTED, Call, Run

if TYPE_CHECKING:
    from datetime import datetime

    from kernel.types import Json

COLUMNS = tuple(Call.model_fields)


def get(session: Session, run_id: str, use_id: str) -> Call | None:
    """The call that a model's use led to."""
    return session.exec(select(Call).where(col(Call.run_id) == run_id, col(Call.use_id) == use_id)).first()


def by_id(session: Session, call_id: str) -> Call | None:
    """The call with this id."""
    return session.get(Call, call_id)


def add(session: Session, **values: object) -> bool:
    """Write a call's row; False, and nothing changed, if the use has one already."""
    return insert_new(session, Call, {**dict.fromkeys(COLUMNS), **values})


def is_current(session: Session, run_id: str, segment: int) -> bool:
    """Whether `segment` is the run's current one and the run goes on; holds the run until the transaction ends."""
    found = session.connection().execute(
        select(col(Run.id))
        .where(col(Run.id) == run_id, col(Run.segment) == segment, col(Run.state).not_in(FINAL))
        .with_for_update()
    )
    return found.first() is not None


def move(session: Session, call_id: str, from_states: tuple[str, ...], to_state: str, **values: object) -> bool:
    """Compare-and-set on the state; False if the call is in none of `from_states`."""
    changed = session.connection().execute(
        update(Call)
        .where(col(Call.id) == call_id, col(Call.state).in_(from_states))
        .values(state=to_state, **values)
        .execution_options(synchronize_session=False)
    )
    return changed.rowcount == 1


def finish(session: Session, call_id: str, result: Json, now: datetime) -> bool:
    """Store the result of a call that was started; False if it has one or was never started."""
    return move(session, call_id, (STARTED,), CALL_DONE, result=result, done_at=now)


def refuse(session: Session, call_id: str, from_states: tuple[str, ...], result: Json, now: datetime) -> bool:
    """End a call that will not be made; `result` is what the model reads."""
    return move(session, call_id, from_states, REFUSED, result=result, done_at=now)
