"""The processes that run Bosun on this database, by their heartbeats. Times here are the database's own."""

from __future__ import annotations

from sqlalchemy import delete, func, text
from sqlmodel import Field, Session, SQLModel, col, select

from kernel.store.columns import Float
from kernel.store.database import insert_new

SWEEP_LOCK = 0x626F73756E  # advisory lock of the one process that sweeps; "bosun" in ASCII


class Executor(SQLModel, table=True):
    """A process. It is alive while its heartbeat is younger than the lease."""

    __tablename__ = "executor"

    id: str = Field(primary_key=True)
    seen_at: float = Field(sa_type=Float)  # seconds since 1970, database clock


def database_time(session: Session) -> float:
    """The database's own clock, in seconds since 1970."""
    if session.get_bind().dialect.name == "sqlite":
        return float(session.connection().execute(select(func.julianday("now"))).scalar_one() - 2440587.5) * 86400
    return float(session.connection().execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())


def beat(session: Session, executor_id: str) -> None:
    """Say that this process is alive."""
    now = database_time(session)
    if not insert_new(session, Executor, {"id": executor_id, "seen_at": now}):
        row = session.get_one(Executor, executor_id)
        row.seen_at = now
        session.add(row)


def live(session: Session, lease: float) -> set[str]:
    """Ids of the processes seen within the last `lease` seconds."""
    oldest = database_time(session) - lease
    return set(session.exec(select(Executor.id).where(col(Executor.seen_at) >= oldest)))


def forget_all_but(session: Session, executor_id: str) -> None:
    """Drop every other heartbeat: for a database that only one process can use."""
    session.connection().execute(delete(Executor).where(col(Executor.id) != executor_id))


def forget(session: Session, executor_id: str) -> None:
    """This process has ended in good order."""
    session.connection().execute(delete(Executor).where(col(Executor.id) == executor_id))


def take_sweep(session: Session) -> bool:
    """Whether this transaction may sweep: only one process does at a time. Always true on SQLite."""
    if session.get_bind().dialect.name == "sqlite":
        return True
    return bool(
        session.connection().execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": SWEEP_LOCK}).scalar_one()
    )
