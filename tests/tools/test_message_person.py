"""message_person writes to people of the team, and tells nobody what they could not have read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from kernel.store import open_store, outbox
from kernel.types import Labelled, Person
from rules.engine.outcome import Parked
from tests.tools.cases import shows
from tests.tools.office import STARTER, Office, done, known


@pytest.fixture
def office(tmp_path: Path, sqlite_with_tables: str) -> Iterator[Office]:
    made = Office(open_store(sqlite_with_tables), tmp_path)
    texts = {f"rules/{path.name}": path.read_text() for path in (STARTER, STARTER.parent / "general.yaml")}
    made.book.load(texts, known(made.tools))
    yield made
    made.store.close()


def sent(office: Office) -> list[outbox.OutboxRow]:
    return office.store.read_now(
        lambda session: [row for row in session.exec(select(outbox.OutboxRow)) if row.to is not None]
    )


@shows("works", "message_person")
async def test_somebody_whom_the_requester_named_is_written_to(office: Office) -> None:
    told = done(
        await office.act(office.run("tell bo that lunch is ready"), "message_person", person="bo", text="Lunch!")
    )
    assert told.content == "The message to Bo is on its way."
    (row,) = sent(office)
    assert row.to is not None
    assert (row.to.user, row.where.kind, row.body["footer"][:12]) == ("bo", "dm", "Sent for Ann")


async def test_a_name_that_one_person_has_is_enough_and_one_that_two_have_is_not(office: Office) -> None:
    office.team.people["p1"] = Person(id="p1", name="Maria Lund", accounts=("web:local:p1",))
    run = office.run("tell Maria that lunch is ready")
    told = done(await office.act(run, "message_person", person="p1", text="Lunch!"))
    assert told.content == "The message to Maria Lund is on its way."
    office.team.people["p2"] = Person(id="p2", name="Maria Berg", accounts=("web:local:p2",))
    again = office.run("tell Maria that lunch is ready")
    assert isinstance(await office.act(again, "message_person", person="p1", text="Lunch!"), Parked)


async def test_somebody_whom_the_agent_chose_is_asked_about(office: Office) -> None:
    assert isinstance(await office.act(office.run("tell them"), "message_person", person="bo", text="Lunch!"), Parked)
    assert sent(office) == []


@pytest.mark.parametrize(
    ("person", "says"),
    [
        ("nobody", "There is no such person in people.yaml."),
        ("bo", "This run has read something that Bo may not be allowed to read, so nothing was sent."),
    ],
)
@shows("not let in", "message_person")
@shows("not there", "message_person")
async def test_what_cannot_be_sent_is_said(office: Office, person: str, says: str) -> None:
    secret = Labelled(text="The offer is 90", origin="member_text", readers=("person:ann",))
    run = office.run(f"tell {person} about it", seen=[secret])
    assert done(await office.act(run, "message_person", person=person, text="The offer is 90")).content == says
    assert sent(office) == []
