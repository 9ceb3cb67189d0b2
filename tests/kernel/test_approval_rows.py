"""One approval, one outcome: of many clicks, votes and expiries in the same instant one changes it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any

from kernel.clock import FixedClock
from kernel.store import Session, Store, approvals
from kernel.store.approvals import Approval

NOW = FixedClock().now()


def request(store: Store, approval_id: str = "a", **changes: Any) -> None:
    values: dict[str, Any] = {
        "id": approval_id,
        "ref": f"AP-{approval_id}".upper(),
        "call_id": "c",
        "run_id": "r",
        "agent": "ops",
        "tool": "post_message",
        "requester": "mia",
        "arguments": {"channel": "#finance"},
        "digest": "d",
        "origins": {},
        "preview": {},
        "policy": {},
        "rules": [],
        "reason": "because",
        "created_at": NOW,
    }

    def add(session: Session) -> None:
        session.add(Approval(**(values | changes)))

    store.write_now(add)


async def test_of_many_outcomes_in_the_same_instant_one_counts(stores: tuple[Store, Store]) -> None:
    request(stores[0])
    outcomes = [approvals.APPROVED, approvals.REJECTED, approvals.EXPIRED, approvals.WITHDRAWN] * 4
    moved = await asyncio.gather(
        *(
            stores[n % 2].write(
                partial(
                    approvals.move,
                    approval_id="a",
                    revision=1,
                    from_state=approvals.PENDING,
                    to_state=state,
                    decided_at=NOW,
                )
            )
            for n, state in enumerate(outcomes)
        )
    )
    assert sum(moved) == 1
    row = stores[0].read_now(lambda session: session.get_one(Approval, "a"))
    assert (row.state, row.decided_at) == (outcomes[moved.index(True)], NOW)


async def test_an_approval_is_consumed_once(stores: tuple[Store, Store]) -> None:
    request(stores[0], state=approvals.APPROVED)
    consume = partial(
        approvals.move, approval_id="a", revision=1, from_state=approvals.APPROVED, to_state=approvals.CONSUMED
    )
    moved = await asyncio.gather(*(stores[n % 2].write(consume) for n in range(10)))
    assert sum(moved) == 1


def test_a_decision_on_an_older_revision_changes_nothing(store: Store) -> None:
    request(store, revision=2)
    for revision in (1, 3):
        assert not store.write_now(
            lambda session, revision=revision: approvals.move(  # type: ignore[misc]
                session, "a", revision, approvals.PENDING, approvals.APPROVED
            )
        )


async def test_a_principal_votes_once_on_a_revision(stores: tuple[Store, Store]) -> None:
    request(stores[0])

    def vote(session: Session, principal: str, verb: str) -> bool:
        row = approvals.by_ref(session, "AP-A", lock=True)
        assert row is not None
        return approvals.add_vote(session, row, NOW, principal=principal, verb=verb, reason="", account="x")

    cast = await asyncio.gather(
        *(
            stores[n % 2].write(partial(vote, principal=f"p{n % 2}", verb="approve" if n % 3 else "reject"))
            for n in range(12)
        )
    )
    assert sum(cast) == 2
    found = stores[0].read_now(lambda session: approvals.votes(session, "a", 1))
    assert sorted(row.principal for row in found) == ["p0", "p1"]
    assert stores[0].read_now(lambda session: approvals.votes(session, "a", 2)) == []


def test_what_is_overdue_is_found_and_when_the_next_is(store: Store) -> None:
    for number, minutes in enumerate((30, 10, 20)):
        request(store, f"{number}", expires_at=NOW + timedelta(minutes=minutes))
    request(store, "never")
    request(store, "decided", state=approvals.APPROVED, expires_at=NOW)
    assert store.read_now(approvals.next_expiry) == NOW + timedelta(minutes=10)
    due = store.read_now(lambda session: approvals.overdue(session, NOW + timedelta(minutes=20)))
    assert [row.id for row in due] == ["1", "2"]
    assert [row.id for row in store.read_now(approvals.pending)] == ["0", "1", "2", "never"]


def test_the_newest_approval_of_a_call_counts(store: Store) -> None:
    request(store, "1")
    request(store, "2")
    request(store, "3", call_id="other")
    found = store.read_now(lambda session: approvals.of_call(session, "c"))
    assert found is not None
    assert found.id == "2"
    assert [row.id for row in store.read_now(lambda session: approvals.of_run(session, "r"))] == ["1", "2", "3"]


def test_a_reference_is_found_in_any_case(store: Store) -> None:
    request(store)
    assert store.read_now(lambda session: approvals.by_ref(session, "ap-a")) is not None
    assert store.read_now(lambda session: approvals.by_ref(session, "AP-B")) is None
