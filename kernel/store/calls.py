"""The hot statements on tool calls, built once: one round trip each. The table stands beside the runs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, exists, inspect, or_, select, update
from sqlmodel import Session, col

from kernel.store.approvals import Approval
from kernel.store.database import insert_new
from kernel.store.freezes import Freeze
from kernel.store.prepared import Prepared
from kernel.store.runs import CALL_DONE, FINAL, REFUSED, STARTED, UNKNOWN, Call, Entry, Run

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from kernel.types import Json


@dataclass(frozen=True, kw_only=True, slots=True)
class CallState:
    """A call as it was read; the columns mean what they mean in `runs.Call`."""

    id: str
    run_id: str
    use_id: str
    entry: int
    agent: str
    tool: str
    arguments: Json
    digest: str
    origins: Json
    verdict: Json
    state: str
    result: Json
    created_at: datetime
    started_at: datetime | None
    done_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A call that was handed in before, and how the question about it stands."""

    call: CallState
    approval: str | None  # reference of its newest approval
    state: str | None  # of that approval


NAMES = tuple(field.name for field in fields(CallState))
_COLUMNS = inspect(Call).local_table.columns
_ALL = select(*(_COLUMNS[name] for name in NAMES))
_OF_USE = _ALL.where(col(Call.run_id) == bindparam("run"), col(Call.use_id) == bindparam("use"))
_GET = Prepared(_OF_USE)
_OF_RUN = Prepared(_ALL.where(col(Call.run_id) == bindparam("run")).order_by(col(Call.id).desc()))
_BY_ID = Prepared(_ALL.where(col(Call.id) == bindparam("call")))
_ASKED = Prepared(
    _OF_USE.add_columns(col(Approval.ref), col(Approval.state))
    .outerjoin(Approval, col(Approval.call_id) == col(Call.id))
    .order_by(col(Approval.id).desc())
    .limit(1)
)
_IN_SEGMENT = (
    select(col(Run.id))
    .where(
        col(Run.id) == bindparam("run"),
        col(Run.segment) == bindparam("of_segment"),
        and_(*(col(Run.state) != state for state in FINAL)),  # NOT IN would be put together anew at every execution
    )
    .with_for_update()
)
_CURRENT = Prepared(_IN_SEGMENT)
_MAY_BEGIN = Prepared(_IN_SEGMENT.add_columns(exists(select(col(Freeze.scope)))))
_SAID = Prepared(
    select(col(Entry.content)).where(col(Entry.run_id) == bindparam("run"), col(Entry.number) == bindparam("at"))
)


@cache
def _move(from_states: tuple[str, ...], names: tuple[str, ...]) -> Prepared:
    values: dict[str, Any] = {name: bindparam(f"new_{name}", type_=_COLUMNS[name].type) for name in names}
    known = or_(*(col(Call.state) == state for state in from_states))
    return Prepared(update(Call).where(col(Call.id) == bindparam("call"), known).values(**values))


def get(session: Session, run_id: str, use_id: str) -> CallState | None:
    """The call that a model's use led to."""
    row = _GET.run(session, {"run": run_id, "use": use_id}).first()
    return None if row is None else _call(row)


def by_id(session: Session, call_id: str) -> CallState | None:
    """The call with this id."""
    row = _BY_ID.run(session, {"call": call_id}).first()
    return None if row is None else _call(row)


def of_run(session: Session, run_id: str) -> list[CallState]:
    """All calls of a run, newest first."""
    return [_call(row) for row in _OF_RUN.run(session, {"run": run_id})]


def unsure(session: Session, run_id: str) -> dict[str, str]:
    """The tools of calls that have begun and whose outcome nobody knows, by the use that led to them."""
    open_states = {STARTED, UNKNOWN}
    return {call.use_id: call.tool for call in reversed(of_run(session, run_id)) if call.state in open_states}


def asked(session: Session, run_id: str, use_id: str) -> Asked | None:
    """The call that a model's use led to, with its newest approval."""
    row = _ASKED.run(session, {"run": run_id, "use": use_id}).first()
    if row is None:
        return None
    *call, ref, state = row
    return Asked(call=_call(call), approval=ref, state=state)


def _call(row: Iterable[Any]) -> CallState:
    return CallState(**dict(zip(NAMES, row, strict=True)))


def said(session: Session, run_id: str, number: int) -> Json:
    """The content of the transcript entry that proposed a call; None if there is none."""
    return _SAID.run(session, {"run": run_id, "at": number}).scalar()


def add(session: Session, **values: object) -> bool:
    """Write a call's row; False, and nothing changed, if the use has one already."""
    return insert_new(session, Call, {**dict.fromkeys(NAMES), **values})


def is_current(session: Session, run_id: str, segment: int) -> bool:
    """Whether `segment` is the run's current one and the run goes on; holds the run until the transaction ends."""
    found = _CURRENT.run(session, {"run": run_id, "of_segment": segment})
    return found.first() is not None


def may_begin(session: Session, run_id: str, segment: int) -> tuple[bool, bool]:
    """The same, and whether anything at all is frozen."""
    found = _MAY_BEGIN.run(session, {"run": run_id, "of_segment": segment}).first()
    return (False, False) if found is None else (True, bool(found[1]))


def move(session: Session, call_id: str, from_states: tuple[str, ...], to_state: str, **values: object) -> bool:
    """Compare-and-set on the state; False if the call is in none of `from_states`."""
    fresh = {f"new_{name}": value for name, value in values.items()}
    statement = _move(from_states, ("state", *values))
    return statement.count(session, {"call": call_id, "new_state": to_state, **fresh}) == 1


def finish(session: Session, call_id: str, result: Json, now: datetime) -> bool:
    """Store the result of a call that was started; False if it has one or was never started."""
    return move(session, call_id, (STARTED,), CALL_DONE, result=result, done_at=now)


def refuse(session: Session, call_id: str, from_states: tuple[str, ...], result: Json, now: datetime) -> bool:
    """End a call that will not be made; `result` is what the model reads."""
    return move(session, call_id, from_states, REFUSED, result=result, done_at=now)
