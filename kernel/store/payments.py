"""The register of payments to be made. Bosun moves no money: people of finance execute what stands here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, inspect, select
from sqlmodel import Field, Session, SQLModel, col

from kernel.store.columns import Moment
from kernel.store.database import insert_new


class Payment(SQLModel, table=True):
    """One instruction. Never changed."""

    __tablename__ = "payment"

    id: str = Field(primary_key=True)  # the call that queued it: the same call queues it once
    ref: str = Field(unique=True)  # "P-7F3K"
    payee: str
    amount: str  # decimal, "250.00"
    currency: str  # ISO 4217, "EUR"
    reference: str
    why: str
    origin: str  # label of the run that queued it: what is read here later carries it on
    run_id: str = Field(index=True)
    requester: str  # Person.id
    agent: str
    created_at: datetime = Field(sa_type=Moment)


# Built once: building a statement costs more than running it.
_ALL = select(*inspect(Payment).local_table.columns)
_GET = _ALL.where(col(Payment.id) == bindparam("payment"))
_NEWEST = _ALL.order_by(col(Payment.created_at).desc(), col(Payment.id).desc()).limit(bindparam("most"))


_PAYEE = select(col(Payment.payee)).where(col(Payment.payee) == bindparam("payee")).limit(1)


def has_payee(session: Session, payee: str) -> bool:
    """Whether a payment to exactly this payee was queued before."""
    return session.connection().execute(_PAYEE, {"payee": payee}).first() is not None


def get(session: Session, payment_id: str) -> Payment | None:
    """The payment that this call queued."""
    row = session.connection().execute(_GET, {"payment": payment_id}).first()
    return None if row is None else Payment(**row._mapping)


def add(session: Session, payment: Payment) -> bool:
    """Queue a payment; False, and nothing changed, if its call has queued one or its reference is taken."""
    return insert_new(session, Payment, payment.model_dump())


def newest(session: Session, limit: int, payee: str = "") -> list[Payment]:
    """The last payments, newest first; with `payee`, those whose payee contains it, any case."""
    statement, values = _NEWEST, {"most": limit}
    if payee:
        statement = statement.where(col(Payment.payee).icontains(payee, autoescape=True))
    return [Payment(**row._mapping) for row in session.connection().execute(statement, values)]
