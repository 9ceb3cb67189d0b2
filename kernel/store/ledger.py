"""The rows of the hash-chained ledger; what goes into them and how they are checked is kernel/ledger.py."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  sqlmodel reads the annotation at run time
from typing import TYPE_CHECKING

from sqlmodel import Field, Session, SQLModel, select

from kernel.store.columns import JsonText, Moment
from kernel.types import Json  # noqa: TC001  sqlmodel reads the annotation at run time

if TYPE_CHECKING:
    from collections.abc import Iterator


GENESIS = "0" * 64


class LedgerRow(SQLModel, table=True):
    """One entry: what happened, chained to the one before it."""

    __tablename__ = "ledger"

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=Moment)
    kind: str
    subject: str = Field(index=True)  # run, call or approval that it is about
    body: Json = Field(sa_type=JsonText)
    previous: str
    hash: str


class LedgerHead(SQLModel, table=True):
    """The end of the chain. One row; whoever appends holds it."""

    __tablename__ = "ledger_head"

    id: int = Field(primary_key=True)
    number: int
    hash: str


def head(session: Session) -> LedgerHead:
    """The end of the chain, locked for this transaction."""
    row = session.exec(select(LedgerHead).where(LedgerHead.id == 1).with_for_update()).first()
    if row is None:
        row = LedgerHead(id=1, number=0, hash=GENESIS)
        session.add(row)
    return row


def entries(session: Session, subject: str | None = None) -> Iterator[LedgerRow]:
    """All entries in order, or those about one subject."""
    statement = select(LedgerRow).order_by(LedgerRow.number)  # type: ignore[arg-type]
    if subject is not None:
        statement = statement.where(LedgerRow.subject == subject)
    yield from session.exec(statement.execution_options(yield_per=1000))
