"""The rows of the hash-chained ledger; what goes into them and how they are checked is kernel/ledger.py."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, insert, update
from sqlmodel import Field, Session, SQLModel, col, select

from kernel.store.columns import JsonText, Moment
from kernel.store.database import insert_new
from kernel.store.prepared import Prepared
from kernel.types import Json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


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


_END = Prepared(select(col(LedgerHead.number), col(LedgerHead.hash)).where(col(LedgerHead.id) == 1).with_for_update())
_ADD = Prepared(insert(LedgerRow))
_MOVE = Prepared(
    update(LedgerHead).where(col(LedgerHead.id) == 1).values(number=bindparam("new_number"), hash=bindparam("new_hash"))
)


def end(session: Session) -> tuple[int, str]:
    """Number and hash of the last entry; locked until the transaction ends."""
    row = _END.run(session).first()
    if row is None:
        insert_new(session, LedgerHead, {"id": 1, "number": 0, "hash": GENESIS})
        row = _END.run(session).one()
    return row.number, row.hash


def add(session: Session, entries: Sequence[dict[str, object]]) -> None:
    """Put entries behind the last one, in this order; there is at least one."""
    _ADD.many(session, entries)
    _MOVE.count(session, {"new_number": entries[-1]["number"], "new_hash": entries[-1]["hash"]})


def entries(session: Session, subject: str | None = None) -> Iterator[LedgerRow]:
    """All entries in order, or those about one subject."""
    statement = select(LedgerRow).order_by(col(LedgerRow.number))
    if subject is not None:
        statement = statement.where(col(LedgerRow.subject) == subject)
    with session.exec(statement.execution_options(yield_per=1000)) as found:
        yield from found
