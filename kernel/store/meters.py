"""What is used of budgets and limits, and what models cost; what a meter is stands in rules/engine/meters.py.

Amounts are whole millionths, so that sums are exact on every database.
"""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, bindparam, delete, func, insert, select, update
from sqlmodel import Field, Session, SQLModel, col

from kernel.store.columns import Moment
from kernel.store.database import insert_new
from kernel.store.prepared import Prepared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MILLIONTHS = 1_000_000


class MeterUse(SQLModel, table=True):
    """What is gone of one meter, in one account and one period: done, and reserved for calls that have begun."""

    __tablename__ = "meter_use"

    key: str = Field(primary_key=True)  # "small-invoice:budget:0"
    account: str = Field(primary_key=True)  # for whom it is counted, canonical JSON
    period: str = Field(primary_key=True)  # "2026-03-02", "2026-03-02T09", "2026-03"; the id of a run
    used: int = Field(default=0, sa_type=BigInteger)
    raised: int = Field(default=0, sa_type=BigInteger)  # by which people have raised it
    noticed: bool = False  # it was said that most of it is gone


class MeterCharge(SQLModel, table=True):
    """What one call uses of one meter; so that it is charged once, and given back where the call fails."""

    __tablename__ = "meter_charge"

    call_id: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    account: str
    period: str
    amount: int = Field(sa_type=BigInteger)


class ModelCost(SQLModel, table=True):
    """What one or several answers of a model cost."""

    __tablename__ = "model_cost"

    id: int | None = Field(default=None, primary_key=True)
    run_id: str = Field(index=True)
    agent: str
    person: str  # Person.id of the requester; "workflow:NAME"
    channel: str  # as the charter calls it
    workflow: str  # empty: a person asked
    at: datetime = Field(sa_type=Moment, index=True)
    amount: int = Field(sa_type=BigInteger)  # millionths of a US dollar


class ModelReservation(SQLModel, table=True):
    """What the answer of a model that is under way in a run may cost at most. It makes room for the real cost."""

    __tablename__ = "model_reservation"

    run_id: str = Field(primary_key=True)
    agent: str
    person: str
    channel: str
    workflow: str
    at: datetime = Field(sa_type=Moment)
    amount: int = Field(sa_type=BigInteger)


_ROW = (
    (col(MeterUse.key) == bindparam("of_key"))
    & (col(MeterUse.account) == bindparam("of_account"))
    & (col(MeterUse.period) == bindparam("of_period"))
)
_USED = Prepared(select(col(MeterUse.used), col(MeterUse.raised)).where(_ROW))
_RESERVE = Prepared(
    update(MeterUse)
    .where(_ROW, col(MeterUse.used) + bindparam("more") <= bindparam("most") + col(MeterUse.raised))
    .values(used=col(MeterUse.used) + bindparam("more"))
)
_HOLD = Prepared(select(col(MeterUse.raised)).where(_ROW).with_for_update())
_GIVE_BACK = Prepared(update(MeterUse).where(_ROW).values(used=col(MeterUse.used) - bindparam("less")))
_CHARGES = Prepared(
    select(col(MeterCharge.key), col(MeterCharge.account), col(MeterCharge.period), col(MeterCharge.amount)).where(
        col(MeterCharge.call_id) == bindparam("call")
    )
)
_COST = Prepared(insert(ModelCost))


def whole(amount: Decimal) -> int:
    """Millionths, rounded up."""
    return int((amount * MILLIONTHS).to_integral_value(ROUND_CEILING))


def decimal(millionths: int) -> Decimal:
    """The amount again."""
    return Decimal(millionths) / MILLIONTHS


def used(session: Session, key: str, account: str, period: str) -> tuple[Decimal, Decimal]:
    """What is used, and by how much the limit was raised."""
    row = _USED.run(session, _of(key, account, period)).first()
    return (Decimal(0), Decimal(0)) if row is None else (decimal(row.used), decimal(row.raised))


def reserve(  # noqa: PLR0917  the three parts of a meter's key, and the charge
    session: Session, call_id: str, key: str, account: str, period: str, amount: Decimal, most: Decimal
) -> bool:
    """Take `amount` for the call, once, if with it no more than `most` and what it was raised by is used.

    False, and nothing taken, where it does not fit. The row is held until the transaction ends.
    """
    open_row(session, key, account, period)
    values = {"call_id": call_id, "key": key, "account": account, "period": period, "amount": whole(amount)}
    if not insert_new(session, MeterCharge, values):
        return True
    more = {**_of(key, account, period), "more": whole(amount), "most": whole(most)}
    if _RESERVE.count(session, more) == 1:
        return True
    session.connection().execute(
        delete(MeterCharge).where(col(MeterCharge.call_id) == call_id, col(MeterCharge.key) == key)
    )
    return False


def give_back(session: Session, call_id: str) -> None:
    """The call did nothing: what was taken for it is free again."""
    for key, account, period, amount in _CHARGES.run(session, {"call": call_id}).all():
        _GIVE_BACK.count(session, {**_of(key, account, period), "less": amount})
    session.connection().execute(delete(MeterCharge).where(col(MeterCharge.call_id) == call_id))


def raise_by(session: Session, key: str, account: str, period: str, amount: Decimal) -> None:
    """More may be used in this account and period; it is said again when most of that is gone."""
    open_row(session, key, account, period)
    values = {"raised": col(MeterUse.raised) + whole(amount), "noticed": False}
    session.connection().execute(update(MeterUse).where(_ROW).values(values), _of(key, account, period))


def notice(session: Session, key: str, account: str, period: str) -> bool:
    """Note that people are told that most of it is gone; False where they were."""
    open_row(session, key, account, period)
    statement = update(MeterUse).where(_ROW, col(MeterUse.noticed).is_(False)).values(noticed=True)
    return session.connection().execute(statement, _of(key, account, period)).rowcount == 1


def open_row(session: Session, key: str, account: str, period: str) -> None:
    """Have a row to count in."""
    values = {"key": key, "account": account, "period": period, "used": 0, "raised": 0, "noticed": False}
    insert_new(session, MeterUse, values)


def in_use(session: Session, key: str) -> list[MeterUse]:
    """Everything that was counted for the meter, newest periods first."""
    statement = select(MeterUse).where(col(MeterUse.key) == key).order_by(col(MeterUse.period).desc())
    return list(session.scalars(statement.order_by(col(MeterUse.account))))


def add_cost(session: Session, at: datetime, amount: float, **of: str) -> None:
    """Note what answers of a model cost, in US dollars; `of` are run_id, agent, person, channel, workflow."""
    _COST.count(session, {**of, "at": at, "amount": whole(Decimal(str(amount)))})


def cost(session: Session, since: datetime | None, of: Mapping[str, str]) -> Decimal:
    """What models have cost since then, in US dollars, for exactly these (run_id, agent, person, ...)."""
    return _sum(session, ModelCost, since, of)


def costs(session: Session, since: datetime, each: Sequence[str]) -> list[tuple[dict[str, str], Decimal]]:
    """What models have cost since then, for everybody of whom it is counted apart (agent, person, ...)."""
    apart = [getattr(ModelCost, name) for name in each]
    statement = select(*apart, func.sum(col(ModelCost.amount))).where(col(ModelCost.at) >= since)
    found = session.connection().execute(statement.group_by(*apart).order_by(*apart)).all()
    return [(dict(zip(each, row[:-1], strict=True)), decimal(int(row[-1]))) for row in found if row[-1] is not None]


def reserved(session: Session, since: datetime | None, of: Mapping[str, str]) -> Decimal:
    """What answers that are under way since then may cost, for exactly these."""
    return _sum(session, ModelReservation, since, of)


def reserve_cost(session: Session, at: datetime, amount: Decimal, run_id: str, **of: str) -> None:
    """Keep so much free for the answer that begins in the run, instead of what was kept for an earlier one."""
    release_cost(session, run_id)
    session.connection().execute(insert(ModelReservation), {**of, "run_id": run_id, "at": at, "amount": whole(amount)})


def release_cost(session: Session, run_id: str) -> None:
    """No answer is under way in the run."""
    session.connection().execute(delete(ModelReservation).where(col(ModelReservation.run_id) == run_id))


def hold(session: Session, key: str, account: str, period: str) -> Decimal:
    """By how much the limit was raised. Whoever asks about the same meter waits until this transaction ends."""
    open_row(session, key, account, period)
    return decimal(int(_HOLD.run(session, _of(key, account, period)).scalar_one()))


def _sum(
    session: Session, table: type[ModelCost | ModelReservation], since: datetime | None, of: Mapping[str, str]
) -> Decimal:
    statement = select(func.coalesce(func.sum(col(table.amount)), 0))
    if since is not None:
        statement = statement.where(col(table.at) >= since)
    for name, value in of.items():
        statement = statement.where(getattr(table, name) == value)
    return decimal(int(session.connection().execute(statement).scalar_one()))


def times(session: Session, since: datetime, of: Mapping[str, str]) -> int:
    """How often costs were noted since then for exactly these."""
    statement = select(func.count()).select_from(ModelCost).where(col(ModelCost.at) >= since)
    for name, value in of.items():
        statement = statement.where(getattr(ModelCost, name) == value)
    return int(session.connection().execute(statement).scalar_one())


def _of(key: str, account: str, period: str) -> dict[str, str]:
    return {"of_key": key, "of_account": account, "of_period": period}
