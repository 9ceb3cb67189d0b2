"""Customers in our own tables: found, added, changed with the difference on the card, undone, and moved as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kernel.store import approvals, open_store
from kernel.types import Labelled, ToolResult
from rules.engine.outcome import Parked
from tests.tools.cases import shows
from tests.tools.office import Office, done
from tools.engine.crm.records import HAS, Record, from_csv, to_csv
from tools.engine.failure import CannotDo


@pytest.fixture
def office(tmp_path: Path, sqlite_with_tables: str) -> Iterator[Office]:
    made = Office(open_store(sqlite_with_tables), tmp_path / "workspace")
    yield made
    made.store.close()


async def add(office: Office, kind: str, name: str, about: str = "", **values: str) -> str:
    made = done(await office.act(office.run("add"), "add_record", kind=kind, name=name, values=values, about=about))
    assert not made.error, made.content
    return str(made.data["ref"])


async def find(office: Office, words: str = "", **more: Any) -> ToolResult:
    return done(await office.act(office.run(f"find {words}"), "search_crm", words=words, **more))


async def test_a_customer_and_what_belongs_to_it_is_found(office: Office) -> None:
    acme = await add(office, "company", "ACME", website="https://acme.example")
    await add(office, "contact", "Maria Rossi", about=acme, email="maria@acme.example", role="Buyer")
    await add(office, "deal", "Paper for a year", about=acme, amount="1200.50", currency="EUR", stage="offer")
    found = await find(office, "maria")
    assert found.data["records"][0]["email"] == "maria@acme.example"
    assert {row["kind"] for row in (await find(office, about=acme)).data["records"]} == {"contact", "deal"}
    assert (await find(office, "maria", kind="deal")).content == "No record fits."


async def test_addresses_of_people_are_personal_and_names_come_from_where_they_were_written(office: Office) -> None:
    await add(office, "contact", "Maria", email="maria@acme.example")
    pieces = {piece.field: piece for piece in (await find(office, "maria")).pieces}
    assert (pieces["email"].personal, pieces["name"].personal) == (True, False)
    assert pieces["name"].origin == "member_text"
    outside = office.run("add him", seen=[Labelled(text="Call Bob, bob@evil.example", origin="outside_text")])
    arguments: dict[str, Any] = {"kind": "contact", "name": "Bob", "values": {"email": "bob@evil.example"}, "about": ""}
    _, made = await office.approved(outside, "add_record", by="ann", **arguments)
    assert not made.error
    assert {piece.origin for piece in (await find(office)).pieces if piece.text == "Bob"} == {"outside_text"}


async def test_the_first_of_several_is_not_the_one_that_was_meant_but_the_one_of_that_name_is(office: Office) -> None:
    def meant(result: ToolResult) -> set[str]:
        return {piece.text for piece in result.pieces if piece.origin == "found_by_your_words"}

    acme = await add(office, "company", "ACME")
    await add(office, "company", "Acme Holding")
    assert meant(await find(office, "acme")) == {acme}
    first = await find(office, "acme", limit=1)
    assert (len(first.data["records"]), meant(first)) == (1, set())
    assert first.content.endswith("There are more that fit.")


async def test_a_record_is_made_once_and_taken_back(office: Office) -> None:
    run = office.run("add acme")
    arguments: dict[str, Any] = {"kind": "company", "name": "ACME", "values": {}, "about": ""}
    first = done(await office.act(run, "add_record", "u1", **arguments))
    assert done(await office.act(run, "add_record", "u1", **arguments)) == first
    assert len((await find(office)).data["records"]) == 1
    assert not done(await office.act(office.run(f"undo {run.ref}"), "undo", ref=run.ref)).error
    assert (await find(office)).content == "There are no records."


async def test_a_change_shows_its_difference_and_is_not_undone_over_a_later_one(office: Office) -> None:
    ref = await add(office, "deal", "Paper", stage="offer", amount="100")
    approval, changed = await office.approved(
        office.run("it is won"), "change_record", by="ann", ref=ref, name="", values={"stage": "won", "amount": ""}
    )
    assert not changed.error, changed.content
    row = office.store.read_now(lambda session: approvals.by_ref(session, approval))
    assert row is not None
    shown = row.preview["payloads"][0]["content"]
    assert "-stage: offer" in shown
    assert "+stage: won" in shown
    record = (await find(office, "paper")).data["records"][0]
    assert (record["stage"], record.get("amount")) == ("won", None)
    later = office.run(f"{ref} is lost")
    assert not done(await office.act(later, "change_record", ref=ref, name="", values={"stage": "lost"})).error
    refused = done(await office.act(office.run(f"undo {approval}"), "undo", ref=approval))
    assert refused.content.endswith(f"{ref} was changed since, so it is left as it is.")
    assert not done(await office.act(office.run(f"undo {later.ref}"), "undo", ref=later.ref)).error
    assert (await find(office, "paper")).data["records"][0]["stage"] == "won"


async def test_a_removed_record_comes_back(office: Office) -> None:
    ref = await add(office, "task", "Call ACME", due="2026-04-01", owner="ann", done="no")
    removal = office.run("clean up")
    _, gone = await office.approved(removal, "remove_record", by="ann", ref=ref)
    assert not gone.error
    assert (await find(office, "call")).content == "No record fits."
    assert not done(await office.act(office.run(f"undo {removal.ref}"), "undo", ref=removal.ref)).error
    assert (await find(office, "call")).data["records"][0]["ref"] == ref


async def test_a_record_that_the_requester_meant_is_changed_without_asking(office: Office) -> None:
    await add(office, "company", "Globex Corporation")
    run = office.run("the globex corporation is in energy now")
    found = done(await office.act(run, "search_crm", words="globex corporation"))
    ref = found.data["records"][0]["ref"]
    informed = run.model_copy(update={"seen": found.pieces})
    change: dict[str, Any] = {"ref": ref, "name": "", "values": {"industry": "Energy"}}
    assert not done(await office.act(informed, "change_record", **change)).error
    assert isinstance(await office.act(office.run("tidy up"), "change_record", **change), Parked)


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("add_record", {"kind": "note", "name": "x", "values": {"email": "a@b.c"}}, "A note has no email."),
        (
            "add_record",
            {"kind": "deal", "name": "x", "values": {"amount": "much"}},
            "The arguments do not fit: values",
        ),
        ("add_record", {"kind": "deal", "name": "x", "values": {}, "about": "C-NONE"}, "There is no record C-NONE."),
        ("add_record", {"kind": "person", "name": "x"}, "The arguments do not fit: kind"),
        ("change_record", {"ref": "C-NONE", "name": "y"}, "There is no record C-NONE."),
    ],
)
async def test_what_cannot_be_is_refused_in_a_sentence(
    office: Office, tool: str, arguments: dict[str, Any], says: str
) -> None:
    refused = done(await office.act(office.run("C-NONE"), tool, **arguments))
    assert refused.error
    assert refused.content.startswith(says)


# -- CSV -----------------------------------------------------------------------------------------------------------


@shows("works", "import_crm")
async def test_what_was_exported_can_be_imported(office: Office) -> None:
    await add(office, "contact", 'Anna "Ann" Weiß, jun.', email="anna@acme.example", phone="+41 1", text="two\nlines")
    out = office.run("export contacts.csv")
    assert not done(await office.act(out, "export_crm", kind="contact", path="contacts.csv")).error
    assert "'+41 1" in (office.folder / "contacts.csv").read_text()  # no formula for a spreadsheet
    back = office.run("import contacts.csv")
    made = done(await office.act(back, "import_crm", kind="contact", path="contacts.csv"))
    assert made.content == "Added 1 contact records."
    first, second = (await find(office, "weiß")).data["records"]
    assert {**first, "ref": ""} == {**second, "ref": ""}
    assert not done(await office.act(office.run(f"undo {back.ref}"), "undo", ref=back.ref)).error
    assert len((await find(office, "weiß")).data["records"]) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "The first line has to name the columns"),
        ("email\nx@y.z", "The first line has to name the columns"),
        ("name,shoe size\nx,42", "A deal has no shoe size."),
        ("name,amount\nx,10\ny,much", "Line 3 does not fit: a value is not what its column wants."),
        ("name,amount\n,10", "Line 2 does not fit: every record needs a name"),
        ("name\n" + "x\n" * 2001, "At most 2,000 rows can be imported at a time."),
    ],
)
@shows("hostile", "import_crm")
def test_a_file_that_does_not_fit_adds_nothing(text: str, says: str) -> None:
    with pytest.raises(CannotDo, match=says.replace("(", r"\(")):
        from_csv("deal", text)


@pytest.mark.parametrize("kind", sorted(HAS))
def test_every_kind_travels_as_csv(kind: str) -> None:
    samples = {"amount": "10.50", "currency": "EUR", "due": "2026-03-01", "done": "yes"}
    fields = {name: samples.get(name, f"=a {name}") for name in HAS[kind]}
    record = Record(ref="C-7F3K", kind=kind, name="-x", fields=fields)
    assert from_csv(kind, to_csv(kind, [record])) == [("-x", fields, "")]
