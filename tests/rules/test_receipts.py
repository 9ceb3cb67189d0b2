"""A receipt tells the whole way of a call, and every line of it is borne by the ledger or says that it is not."""

from __future__ import annotations

from typing import Any

import pytest

from kernel.store import Session
from kernel.types import Labelled, Place
from rules.engine.outcome import Finished
from rules.engine.receipts import Receipt, receipt
from tests.rules.people import account
from tests.rules.world import RULES, World

BIG: dict[str, Any] = {"account": "DE12345", "amount": 500}


async def paid(world: World) -> tuple[str, str]:
    """A payment that two people approved after one changed it; the references of its approval and of its run."""
    facts = world.run("pay 500 to DE12345", seen=[Labelled(text="an invoice", origin="member_text")])
    ref = await world.park(facts, "pay", **BIG)
    await world.approvals.edit(ref, 1, {"arg_amount": "450"}, account("cy"))
    await world.vote("bo", ref)
    await world.vote("cy", ref)
    outcome = await world.go_on(facts, "pay", **BIG)
    assert isinstance(outcome, Finished)
    return ref, facts.ref


def of(world: World, ref: str, *tampering: str) -> Receipt:
    """The receipt, once somebody with the database's password has run these statements; they are rolled back."""

    def look(session: Session) -> Receipt | None:
        for statement in tampering:
            session.connection().exec_driver_sql(statement)
        return receipt(session, ref, str.capitalize)

    found = world.store.read_now(look)
    assert found is not None
    return found


def texts(found: Receipt) -> str:
    return "\n".join(line.text for line in found.every_line)


async def test_a_receipt_tells_who_asked_which_rule_who_voted_what_was_done_and_what_came_back(
    either_world: World,
) -> None:
    world = either_world
    ref, run = await paid(world)
    found = of(world, ref.lower())
    assert (found.run, found.requester, found.request) == (run, "Ann", "pay 500 to DE12345")
    [call] = found.calls
    assert (call.tool, call.decision, call.rules, call.approvals) == ("pay", "ask", ("pay-two",), (ref,))
    assert call.arguments == {"account": "DE12345", "amount": 450.0, "memo": ""}
    assert call.origins["account"] == [["typed"]]
    assert call.result["content"].endswith("paid 450 to DE12345")
    told = texts(found)
    for words in (
        f"{ref}: people were asked by pay-two",
        "it needs 2 of finance, not the requester",
        "Cy changed amount: revision 2",
        "Bo says approve to revision 2 (web:local:bo)",
        "Cy says approve to revision 2 (web:local:cy)",
        f"{ref}: approved by Bo and Cy",
        f"Begun with revision 2 of {ref}, as approved by Bo and Cy",
        "Done. What came back: Before it was approved, Cy changed: amount. paid 450 to DE12345",
    ):
        assert words in told, told
    assert found.problems == ()
    assert all(line.entry is not None and line.hash for line in found.every_line)
    assert [line.entry for line in call.lines] == sorted(line.entry or 0 for line in call.lines)


async def test_the_receipt_of_a_run_holds_all_its_calls(world: World) -> None:
    facts = world.run("look at x, pay 5 to DE12345 and 1 to EMBARGO")
    await world.act(facts, "look", "a", text="x")
    await world.act(facts, "pay", "b", account="DE12345", amount=5)
    await world.act(facts, "pay", "c", account="EMBARGO", amount=1)
    await world.act(facts, "format_disk", "d")
    found = of(world, facts.ref)
    assert [call.tool for call in found.calls] == ["look", "pay", "pay", "format_disk"]
    told = texts(found)
    assert "Allowed by no rule of its own" in told
    assert "Allowed by pay-small" in told
    assert "Refused by pay-never" in told
    assert found.problems == ()


TAMPERED = {
    "the arguments": ("UPDATE call SET arguments = REPLACE(arguments, 'DE12345', 'DE66666')", "do not have the digest"),
    "the digest": ("UPDATE call SET digest = 'x'", "are other ones"),
    "the result": ("UPDATE call SET result = REPLACE(result, 'paid 450', 'paid 4')", "the result in the database"),
    "a vote": ("UPDATE vote SET verb = 'reject' WHERE principal = 'bo'", "the vote in the database is another one"),
    "a voter": ("UPDATE vote SET principal = 'lea' WHERE principal = 'bo'", "the ledger has no entry for it"),
    "who had to decide": ("UPDATE approval SET policy = '{}'", "other people who had to decide"),
    "the ledger": (
        "UPDATE ledger SET body = REPLACE(body, '\"bo\"', '\"lea\"') WHERE kind = 'approval.approved'",
        "was changed",
    ),
    "the end of the ledger": ("DELETE FROM ledger WHERE kind = 'tool.done'", "the ledger has no entry for it"),
}


@pytest.mark.parametrize("what", TAMPERED)
async def test_what_somebody_changed_in_the_database_is_told_on_its_line(world: World, what: str) -> None:
    ref, _ = await paid(world)
    statement, problem = TAMPERED[what]
    if what == "who had to decide":  # an edit gives the policy anew, and the entry tells of the first revision
        facts = world.run("pay 500 to DE12345")
        ref = await world.park(facts, "pay", **BIG)
    found = of(world, ref, statement)
    assert any(problem in line.problem for line in found.problems), found.every_line


async def test_what_a_decision_looked_at_is_borne_by_the_ledger_too(world: World) -> None:
    facts = world.run("pay 5 to DE12345")
    await world.act(facts, "pay", account="DE12345", amount=5)
    assert of(world, facts.ref).problems == ()
    found = of(world, facts.ref, "UPDATE call SET origins = REPLACE(origins, 'typed', 'paid_before')")
    assert "what the decision looked at" in found.problems[0].problem


async def test_why_gives_the_receipt_to_those_who_can_read_where_it_was_asked(world: World) -> None:
    ref, run = await paid(world)
    lea = world.team.people["lea"]
    for reference in (ref, run):
        told = await world.approvals.why(reference, lea)
        assert "Begun with revision 2" in told
        assert "Each of these" in told
        hidden = await world.approvals.why(reference, lea, reads=lambda place: place.channel == "finance")
        assert "where you cannot read" in hidden
        assert "DE12345" not in hidden
    bo = world.team.people["bo"]
    assert "Begun with" in await world.approvals.why(ref, bo, reads=lambda _place: False)


async def test_a_receipt_of_nothing_is_none(world: World) -> None:
    assert world.store.read_now(lambda session: receipt(session, "AP-NONE", str)) is None


async def test_what_a_model_writes_stays_text_in_a_receipt(world: World) -> None:
    place = Place(platform="web", tenant="local", channel="general", thread="m1")
    facts = world.run("pay **all** to `DE12345`", place=place)
    await world.act(facts, "look", text="<@U1> [x](https://evil.example)")
    told = await world.approvals.why(facts.ref)
    assert "](https" not in told
    assert "**all**" not in told


async def test_an_emergency_stands_in_the_receipt_with_its_reason(world: World) -> None:
    world.rules(RULES.replace("expires: 4h, edit: true}", "expires: 4h, edit: true, break_glass: admin}"))
    facts = world.run("pay 500 to DE12345")
    ref = await world.park(facts, "pay", **BIG)
    assert (await world.vote("dee", ref, "break_glass", reason="the power is off")).ok
    assert isinstance(await world.go_on(facts, "pay", **BIG), Finished)
    found = of(world, ref)
    assert "Emergency: Dee decided alone as admin: the power is off" in texts(found)
    assert found.problems == ()
