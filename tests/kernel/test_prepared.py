"""A prepared statement means what SQLAlchemy makes of it, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import bindparam, column, insert, select, table, update
from sqlalchemy.exc import IntegrityError, InvalidRequestError, ProgrammingError, StatementError
from sqlmodel import col
from sqlmodel import select as model_select

from kernel.clock import FixedClock
from kernel.errors import StoreError
from kernel.store import Session, Store, runs
from kernel.store.inbox import DONE, FAILED, NEW, WAITING, InboxRow
from kernel.store.prepared import Prepared

NOW = FixedClock().now()
ADD = Prepared(insert(InboxRow))
FIND = Prepared(
    select(col(InboxRow.id), col(InboxRow.event), col(InboxRow.received_at), col(InboxRow.error))
    .where(col(InboxRow.lane) == bindparam("of_lane"), col(InboxRow.state).in_((NEW, WAITING)))
    .order_by(col(InboxRow.id))
)
MOVE = Prepared(
    update(InboxRow)
    .where(col(InboxRow.state) == bindparam("known"))
    .values(state=bindparam("to"))
    .returning(col(InboxRow.id), col(InboxRow.state))
)


def row(number: int, **more: object) -> dict[str, object]:
    return {
        "id": f"i{number}",
        "platform": "slack",
        "key": f"k{number}",
        "kind": "mention",
        "lane": "slack:T1:C1",
        "event": {"text": "naïve ☃", "number": number},
        "received_at": NOW + timedelta(microseconds=number),
        **more,
    }


def test_values_go_in_and_come_out_as_their_columns_have_them(store: Store) -> None:
    def work(session: Session) -> None:
        assert ADD.count(session, row(1, error=None)) == 1
        ADD.many(session, [row(2), row(3)])  # without `error`, which is NULL then, and `state`, which has a default
        found = FIND.run(session, {"of_lane": "slack:T1:C1"}).all()
        assert [(one.id, one.event["number"], one.error) for one in found] == [
            ("i1", 1, None),
            ("i2", 2, None),
            ("i3", 3, None),
        ]
        assert found[1].received_at == NOW + timedelta(microseconds=2)
        assert FIND.run(session, {"of_lane": "elsewhere"}).first() is None
        assert set(session.exec(model_select(InboxRow.state))) == {NEW}

    store.write_now(work)


def test_rows_that_a_change_returns_are_all_changed(store: Store) -> None:
    def work(session: Session) -> None:
        ADD.many(session, [row(1, state=NEW), row(2, state=NEW), row(3, state=DONE)])
        moved = MOVE.run(session, {"known": NEW, "to": FAILED}).all()
        assert sorted(tuple(one) for one in moved) == [("i1", FAILED), ("i2", FAILED)]
        assert MOVE.run(session, {"known": NEW, "to": FAILED}).scalar() is None

    store.write_now(work)


async def test_what_fails_is_sqlalchemys_error_and_takes_back_the_whole_work(store: Store) -> None:
    def twice(session: Session) -> None:
        runs.append(session, "r", 1, "note", {}, NOW)
        ADD.count(session, row(1))
        ADD.count(session, row(1))

    with pytest.raises(IntegrityError):
        await store.write(twice)
    assert store.read_now(lambda session: runs.transcript(session, "r")) == []
    assert store.read_now(lambda session: FIND.run(session, {"of_lane": "slack:T1:C1"}).first()) is None


async def test_what_the_database_refuses_is_an_error_of_the_store_or_of_sqlalchemy(store: Store) -> None:
    lost = Prepared(select(column("id")).select_from(table("nowhere")))
    with pytest.raises((StoreError, ProgrammingError), match="nowhere"):
        await store.write(lambda session: lost.run(session).all())


def test_a_value_that_is_missing_is_refused(store: Store) -> None:
    with pytest.raises((InvalidRequestError, StatementError), match="of_lane"):
        store.read_now(lambda session: FIND.run(session, {}))


def test_a_list_that_would_change_the_statement_is_refused() -> None:
    with pytest.raises(TypeError, match="IN"):
        Prepared(select(col(InboxRow.id)).where(col(InboxRow.state).in_(bindparam("states", expanding=True))))
