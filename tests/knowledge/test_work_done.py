"""Earlier decisions and answers are known to those who could read them, so that work connects."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kernel.clock import FixedClock
from kernel.store import Session, Store
from kernel.store.approvals import Approval, Vote
from kernel.store.runs import Run
from kernel.types import Place
from knowledge import decisions, outputs
from knowledge.engine.knowledge import Knowledge
from knowledge.engine.source_settings import Surroundings
from knowledge.engine.web_client import WebClient
from tests.knowledge.conftest import Opened
from tests.knowledge.team import ADA, DM, FINANCE, IN_FINANCE, IN_GENERAL, Audience

ANSWER = "Invoices of Acme are paid within ten days. " * 8


@pytest.fixture
async def knowledge(sqlite_store: Store, open_knowledge: Opened) -> Knowledge:
    return await open_knowledge(sqlite_store)


@pytest.fixture
def around(knowledge: Knowledge, sqlite_store: Store, clock: FixedClock, tmp_path: Path) -> Surroundings:
    return Surroundings(
        charter=tmp_path,
        files=knowledge.files,
        web=WebClient(),
        clock=clock,
        store=sqlite_store,
        secret=dict[str, str]().get,
        resolve=tuple,
        places=lambda _name: [],
        chats=knowledge.chats,
    )


def run(number: int, place: Place, clock: FixedClock, **values: Any) -> Run:
    """A finished run of Ada's."""
    known: dict[str, Any] = {
        "id": f"run{number}",
        "ref": f"R-{number}",
        "agent": "finance",
        "requester": "ada",
        "place": place.model_dump(mode="json"),
        "request": "When do we pay Acme?",
        "state": "done",
        "answer": ANSWER,
        "created_at": clock.now(),
        "updated_at": clock.now(),
    }
    return Run(**(known | values))


async def words(knowledge: Knowledge, query: str, audience: Audience) -> list[str]:
    return [passage.text for passage in (await knowledge.search(query, audience)).passages]


async def test_answers_are_found_by_whoever_could_read_them(
    knowledge: Knowledge, around: Surroundings, sqlite_store: Store, clock: FixedClock
) -> None:
    def some(session: Session) -> None:
        session.add(run(1, FINANCE, clock))
        session.add(run(2, DM, clock, answer="Zebra stripes are black. " * 12))
        session.add(run(3, FINANCE, clock, answer="Short."))
        session.add(run(4, FINANCE, clock, state="failed", answer="Failed words. " * 20))
        session.add(run(5, FINANCE, clock, parent_id="run1", answer="Inner words. " * 20))

    await sqlite_store.write(some)
    source = outputs.open_source(outputs.Settings(name="answers", kind="outputs"), around)
    assert (await knowledge.sync(source)).added == 2
    [found] = (await knowledge.search("when is Acme paid", IN_FINANCE)).passages
    assert (found.title, found.author, found.origin) == (
        "finance answered: When do we pay Acme?",
        "finance",
        "outside_text",
    )
    assert await words(knowledge, "Acme invoices paid zebra stripes", IN_GENERAL) == []
    assert await words(knowledge, "zebra stripes", Audience.of_person(ADA))
    assert (await knowledge.sync(source)).unchanged == 2
    clock.advance(days=200)
    assert (await knowledge.sync(source)).forgotten == 2


async def test_decisions_are_known_with_who_decided_and_why(
    knowledge: Knowledge, around: Surroundings, sqlite_store: Store, clock: FixedClock
) -> None:
    def asked(session: Session) -> None:
        session.add(run(1, FINANCE, clock))
        session.add(
            Approval(
                id="a1",
                ref="AP-7F3K",
                call_id="c1",
                run_id="run1",
                agent="finance",
                tool="pay_invoice",
                requester="ada",
                arguments={},
                digest="",
                origins={},
                preview={"headline": "Pay Acme 900 EUR"},
                policy={},
                rules=[],
                reason="It is more than 250.",
                created_at=clock.now(),
            )
        )

    def decide(session: Session) -> None:
        approval = session.get_one(Approval, "a1")
        approval.state, approval.decided_at = "rejected", clock.now()
        session.add(Vote(approval_id="a1", revision=1, principal="ben", verb="reject", reason="Twice", at=clock.now()))

    await sqlite_store.write(asked)
    source = decisions.open_source(decisions.Settings(name="past", kind="decisions"), around)
    assert (await knowledge.sync(source)).added == 0
    await sqlite_store.write(decide)
    assert (await knowledge.sync(source)).added == 1
    [text] = await words(knowledge, "pay Acme 900 EUR", IN_FINANCE)
    for line in ("Pay Acme 900 EUR", "Outcome: rejected on 2 March 2026.", "Decided by: ben.", "Reason given: Twice"):
        assert line in text
    assert await words(knowledge, "pay Acme 900 EUR", IN_GENERAL) == []
    later = replace(around, clock=FixedClock(clock.now() + timedelta(days=400)))
    again = decisions.open_source(decisions.Settings(name="past", kind="decisions"), later)
    assert (await knowledge.sync(again)).forgotten == 1
