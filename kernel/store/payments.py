"""The register of payments to be made. Bosun moves no money: people of finance execute what stands here."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, Session, SQLModel, select

from kernel.store.columns import Moment


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


def get(session: Session, payment_id: str) -> Payment | None:
    """The payment that this call queued."""
    return session.get(Payment, payment_id)


def by_ref(session: Session, ref: str) -> Payment | None:
    """The payment that people know as `ref`."""
    return session.exec(select(Payment).where(Payment.ref == ref.upper())).first()


def add(session: Session, payment: Payment) -> None:
    """Queue a payment."""
    session.add(payment)


def newest(session: Session, limit: int, payee: str = "") -> list[Payment]:
    """The last payments, newest first; with `payee`, those whose payee contains it, any case."""
    statement = select(Payment).order_by(Payment.created_at.desc(), Payment.id.desc()).limit(limit)  # type: ignore[attr-defined]
    if payee:
        statement = statement.where(Payment.payee.icontains(payee, autoescape=True))  # type: ignore[attr-defined]
    return list(session.exec(statement))
