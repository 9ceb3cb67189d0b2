"""What people have frozen, and the runs that are held because of it; what that means is rules/engine/freezing.py."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlmodel import Field, Session, SQLModel, col

from kernel.store import runs
from kernel.store.columns import Moment
from kernel.store.database import insert_new
from kernel.store.prepared import Prepared

if TYPE_CHECKING:
    from collections.abc import Collection


class Freeze(SQLModel, table=True):
    """Something that is frozen until somebody thaws it."""

    __tablename__ = "freeze"

    scope: str = Field(primary_key=True)  # "everything", "agent:ops", "tool:send_mail", "channel:#finance"
    by: str  # Person.id; "cli" for the command line
    by_name: str
    reason: str = ""
    at: datetime = Field(sa_type=Moment)


class HeldRun(SQLModel, table=True):
    """A run that waits for a thaw. Its row in `run` is WAITING."""

    __tablename__ = "held_run"

    run_id: str = Field(primary_key=True)
    scope: str = Field(index=True)  # the freeze that it waits for the end of


@dataclass(frozen=True, kw_only=True, slots=True)
class FreezeState:
    """A freeze as it was read; the columns mean what they mean in `Freeze`."""

    scope: str
    by: str
    by_name: str
    reason: str
    at: datetime


_ALL = Prepared(
    select(*(getattr(Freeze, name) for name in ("scope", "by", "by_name", "reason", "at"))).order_by(
        col(Freeze.at), col(Freeze.scope)
    )
)


def in_force(session: Session) -> list[FreezeState]:
    """All freezes, oldest first."""
    return [FreezeState(**row._mapping) for row in _ALL.run(session)]


def add(session: Session, freeze: FreezeState) -> bool:
    """Freeze; False, and nothing changed, where exactly this is frozen already."""
    values = {name: getattr(freeze, name) for name in FreezeState.__dataclass_fields__}
    return insert_new(session, Freeze, values)


def end(session: Session, scope: str) -> bool:
    """Thaw; False where it is not frozen. The runs that it held are the caller's to wake."""
    return session.connection().execute(delete(Freeze).where(col(Freeze.scope) == scope)).rowcount == 1


def hold(session: Session, run_id: str, scope: str) -> bool:
    """Note that the run waits for the end of this freeze; False if it has ended. The caller parks the run."""
    lasts = select(col(Freeze.scope)).where(col(Freeze.scope) == scope).with_for_update()
    if session.connection().execute(lasts).first() is None:
        return False
    release(session, (run_id,))
    insert_new(session, HeldRun, {"run_id": run_id, "scope": scope})
    return True


def held_by(session: Session, scope: str) -> list[str]:
    """Ids of the runs that wait for the end of this freeze."""
    found = select(col(HeldRun.run_id)).where(col(HeldRun.scope) == scope).order_by(col(HeldRun.run_id))
    return list(session.connection().execute(found).scalars())


def held(session: Session) -> dict[str, str]:
    """Run id -> scope, of every run that waits for a thaw."""
    waits = (col(runs.Run.id) == col(HeldRun.run_id)) & (col(runs.Run.state) == runs.WAITING)
    found = session.connection().execute(select(col(HeldRun.run_id), col(HeldRun.scope)).join(runs.Run, waits))
    return {row.run_id: row.scope for row in found}


def release(session: Session, run_ids: Collection[str]) -> None:
    """These runs wait for no thaw any more."""
    session.connection().execute(delete(HeldRun).where(col(HeldRun.run_id).in_(run_ids)))
