"""Who of several processes does what only one may do, and small marks of what was done. Times are the database's."""

from __future__ import annotations

from sqlalchemy import delete, update
from sqlmodel import Field, Session, SQLModel, col

from kernel.store.columns import Float
from kernel.store.database import insert_new
from kernel.store.executors import database_time


class Lease(SQLModel, table=True):
    """A task that one process holds until its lease runs out or is given back."""

    __tablename__ = "lease"

    name: str = Field(primary_key=True)
    owner: str  # the process
    until: float = Field(sa_type=Float)  # seconds since 1970, database clock


class Mark(SQLModel, table=True):
    """A value that is remembered under a name."""

    __tablename__ = "mark"

    name: str = Field(primary_key=True)
    value: str


def take(session: Session, name: str, owner: str, seconds: float) -> bool:
    """Take the lease or make it longer; False while another process holds it.

    On SQLite it is always free: only one process can use the database, so whoever held it before has ended.
    """
    now = database_time(session)
    if insert_new(session, Lease, {"name": name, "owner": owner, "until": now + seconds}):
        return True
    free = (col(Lease.owner) == owner) | (col(Lease.until) < now)
    alone = session.get_bind().dialect.name == "sqlite"
    statement = update(Lease).where(col(Lease.name) == name).values(owner=owner, until=now + seconds)
    return session.connection().execute(statement if alone else statement.where(free)).rowcount == 1


def give_back(session: Session, name: str, owner: str) -> None:
    """Another process may take it at once."""
    session.connection().execute(delete(Lease).where(col(Lease.name) == name, col(Lease.owner) == owner))


def mark(session: Session, name: str, value: str) -> None:
    """Remember the value."""
    if not insert_new(session, Mark, {"name": name, "value": value}):
        session.connection().execute(update(Mark).where(col(Mark.name) == name).values(value=value))


def marked(session: Session, name: str) -> str | None:
    """The value that is remembered; None where there is none."""
    found = session.get(Mark, name)
    return None if found is None else found.value
