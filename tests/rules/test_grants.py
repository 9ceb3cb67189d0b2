"""Standing permissions: what people let through beforehand, how far it goes, and that it ends."""

import asyncio
from typing import Any

import pytest

from kernel.errors import NotAllowed, NotFound
from kernel.store import approvals as rows
from kernel.types import Form, Labelled, Press, RunFacts
from rules.engine.outcome import Finished, Parked
from tests.rules.people import account
from tests.rules.world import RULES, World, result

BIG: dict[str, Any] = {"account": "DE12345", "amount": 500.0}
GRANT = RULES.replace('where: "#finance"', "grant: {calls: 20, for: 30d}")
ONE = GRANT.replace("need: 2", "need: 1")


async def asked(world: World, text: str = ONE, **more: Any) -> tuple[str, RunFacts]:
    world.rules(text)
    facts = world.run("pay 500 to DE12345", **more)
    return await world.park(facts, "pay", **BIG), facts


async def given(world: World, text: str = ONE, calls: int = 2, lasts: str = "7d") -> str:
    """A permission that Bo has given; its reference."""
    ref, facts = await asked(world, text)
    fields = {"calls": str(calls), "lasts": lasts}
    said = await world.approvals.press(Press(subject=ref, revision=1, verb="grant", fields=fields), account("bo"))
    assert "From now on it is allowed without asking as G-" in said
    await world.go_on(facts, "pay", **BIG)
    return str(world.approval(ref).outcome["offer"]["ref"])


async def again(world: World, by: str = "ann", **more: Any) -> Finished | Parked:
    facts = world.run("pay 500 to DE12345", by=by)
    outcome = await world.act(facts, "pay", **(BIG | more))
    assert isinstance(outcome, Finished | Parked)
    return outcome


async def test_what_was_let_through_is_done_without_asking_so_often_and_no_more(either_world: World) -> None:
    world = either_world
    ref = await given(world)
    for number in (1, 2):
        assert result(await again(world)) == "paid 500 to DE12345"
        used = world.entries("grant.used")[-1]
        assert (used["number"], used["of"], used["by"]) == (number, 2, ["bo"])
    assert isinstance(await again(world), Parked)
    assert len(world.happened) == 3
    begun = world.entries("call.started")[-1]
    assert (begun["grant"], begun["decision"]) == (ref, "allow")


async def test_the_card_offers_it_and_says_what_was_given_with_it(world: World) -> None:
    ref, facts = await asked(world)
    press = Press(subject=ref, revision=1, verb="grant")
    form = await world.approvals.answer(press, account("bo"))
    assert isinstance(form, Form)
    assert [field.id for field in form.fields] == ["calls", "lasts"]
    assert "account DE12345, amount at most 500.0" in form.note
    with pytest.raises(NotAllowed):
        await world.approvals.answer(press, account("ann"))
    await world.approvals.answer(press.model_copy(update={"fields": {"calls": "3", "lasts": "7d"}}), account("bo"))
    await world.go_on(facts, "pay", **BIG)
    card = world.cards(ref)[0].content
    assert card.type == "card"
    assert "Given with it as G-" in card.text
    assert "3 times within 7d" in card.text


async def test_everybody_who_has_to_agree_agrees_to_the_permission_as_well(world: World) -> None:
    ref, _ = await asked(world, GRANT)
    assert (await world.vote("cy", ref)).ok
    fields = {"calls": "3", "lasts": "7d"}
    press = Press(subject=ref, revision=1, verb="grant", fields=fields)
    assert "1 of 2 approvals (Bo)" in await world.approvals.press(press, account("bo"))
    assert "out of date" in (await world.vote("cy", ref, revision=1)).text
    assert "Bo proposes" in getattr(world.cards(ref)[0].content, "text", "")
    assert isinstance(await again(world), Parked)
    assert (await world.vote("cy", ref, revision=2)).ok
    assert result(await again(world)) == "paid 500 to DE12345"


async def test_a_proposal_is_taken_back_and_the_call_alone_is_approved(world: World) -> None:
    ref, facts = await asked(world, GRANT)
    fields = {"calls": "3", "lasts": "7d"}
    await world.approvals.press(Press(subject=ref, revision=1, verb="grant", fields=fields), account("bo"))
    assert "revision 3" in await world.approvals.press(Press(subject=ref, revision=2, verb="once"), account("cy"))
    assert [(await world.vote(who, ref, revision=3)).ok for who in ("bo", "cy")] == [True, True]
    assert result(await world.go_on(facts, "pay", **BIG)) == "paid 500 to DE12345"
    assert isinstance(await again(world), Parked)


@pytest.mark.parametrize(
    ("calls", "lasts", "says"),
    [
        ("21", "7d", "from 1 to 20"),
        ("0", "7d", "from 1"),
        ("x", "7d", "from 1"),
        ("2", "31d", "At most 30d"),
        ("2", "soon", "soon"),
    ],
)
async def test_more_than_the_rule_permits_is_refused(world: World, calls: str, lasts: str, says: str) -> None:
    ref, _ = await asked(world)
    said = await world.approvals.grant(ref, None, {"calls": calls, "lasts": lasts}, account("bo"))
    assert says in said
    assert world.approval(ref).revision == 1
    assert world.approval(ref).state == rows.PENDING


async def test_where_the_rule_says_nothing_of_it_one_call_at_a_time_is_approved(world: World) -> None:
    ref, _ = await asked(world, RULES)
    assert "permits no standing permission" in await world.approvals.grant(
        ref, None, {"calls": "2", "lasts": "1d"}, account("bo")
    )
    assert "Allow for" not in str(world.cards(ref)[0].body)


@pytest.mark.parametrize("more", [{"amount": 501.0}, {"account": "DE99999"}, {"account": "DE12345 "}])
async def test_what_is_beyond_its_scope_is_asked(world: World, more: dict[str, Any]) -> None:
    await given(world)
    assert isinstance(await again(world, **more), Parked)


async def test_a_lower_amount_is_within_it_and_a_denied_call_is_still_denied(world: World) -> None:
    await given(world)
    assert result(await again(world, amount=400.0)) == "paid 400 to DE12345"
    world.rules(ONE + "\n  - {id: freeze, why: All payments are frozen., tool: pay, decision: deny}\n")
    assert isinstance(await again(world), Finished)
    assert world.happened[-1] == "pay DE12345 400"


async def test_a_rule_names_what_has_to_be_the_same(world: World) -> None:
    await given(world, ONE.replace("for: 30d", "for: 30d, same: [amount]"))
    assert isinstance(await again(world, amount=400.0), Parked)
    assert result(await again(world, account="DE12345", memo="the second part")) == "paid 500 to DE12345"


async def test_a_target_that_somebody_outside_wrote_is_asked_although_it_is_free(world: World) -> None:
    await given(world, ONE.replace("for: 30d", "for: 30d, same: [amount]"))
    facts = world.run("pay the invoice", seen=[Labelled(text="to DE66666", origin="outside_text")])
    assert isinstance(await world.act(facts, "pay", account="DE66666", amount=500.0), Parked)


async def test_it_ends_on_its_date(world: World) -> None:
    await given(world, lasts="1d")
    world.clock.advance(hours=24)
    assert isinstance(await again(world), Parked)


async def test_it_ends_when_who_gave_it_has_lost_the_role_and_while_that_cannot_be_told(world: World) -> None:
    await given(world)
    world.team.down.add("finance")
    assert isinstance(await again(world), Parked)
    world.team.down.clear()
    world.team.roles["finance"] = {"cy"}
    assert isinstance(await again(world), Parked)


async def test_nobody_is_let_through_by_their_own_permission_where_the_requester_does_not_count(world: World) -> None:
    await given(world)
    assert isinstance(await again(world, by="bo"), Parked)
    assert isinstance(await again(world, by="cy"), Finished)


async def test_stricter_rules_ask_again(world: World) -> None:
    await given(world)
    world.rules(GRANT)
    assert isinstance(await again(world), Parked)
    world.rules(RULES.replace("need: 2", "need: 1"))
    assert isinstance(await again(world), Parked)


async def test_it_is_listed_and_ended_by_those_who_decide(world: World) -> None:
    ref = await given(world)
    listed = await world.approvals.grants.listed()
    assert f"| {ref} | ops: pay |" in listed
    assert "| 2 of 2 |" in listed
    people = world.team.people
    with pytest.raises(NotAllowed):
        await world.approvals.grants.revoke(ref, people["lea"], account("lea"))
    with pytest.raises(NotFound):
        await world.approvals.grants.revoke("G-NONE", people["bo"], account("bo"))
    assert "is over" in await world.approvals.grants.revoke(ref.lower(), people["cy"], account("cy"))
    assert "over already" in await world.approvals.grants.revoke(ref, people["dee"], account("dee"))
    assert isinstance(await again(world), Parked)
    assert "No standing permissions" in await world.approvals.grants.listed()
    assert world.entries("grant.revoked") == [{"by": "Cy"}]


async def test_calls_at_the_same_time_do_not_use_it_more_often_than_it_says(either_world: World) -> None:
    world = either_world
    await given(world, calls=2)
    outcomes = await asyncio.gather(*(again(world) for _ in range(5)))
    assert sum(isinstance(outcome, Finished) for outcome in outcomes) == 2
    assert len(world.happened) == 3


async def test_it_answers_for_no_call_about_which_people_were_asked_already(world: World) -> None:
    """What waits was asked before, so the people decide it; a stricter rule still asks them again."""
    waiting = world.run("pay 500 to DE12345")
    world.rules(ONE)
    ref = await world.park(waiting, "pay", **BIG)
    await given(world)
    assert world.approval(ref).state == rows.PENDING
    assert (await world.vote("cy", ref)).ok
    assert result(await world.go_on(waiting, "pay", **BIG)) == "paid 500 to DE12345"
    assert len(world.entries("grant.used")) == 0
