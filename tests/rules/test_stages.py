"""Several steps of an approval: who is asked when, and that nothing happens before each of them has agreed."""

from typing import Any

import pytest

from kernel.store import approvals as rows
from kernel.types import Actor, Press, RunFacts
from tests.rules.people import account
from tests.rules.world import World, failure, result

BIG: dict[str, Any] = {"account": "DE12345", "amount": 500.0}
STAGES = """
version: 1
rules:
  - id: pay-in-steps
    why: Legal looks first, then two people from finance.
    tool: pay
    otherwise: ask
    approval:
      stages: [{who: legal}, {who: finance, need: 2}]
      expires: 4h
      edit: true
"""
TWO_AGAINST = """
version: 1
rules:
  - id: pay-unless-two-object
    why: Two people of finance approve, unless two object.
    tool: pay
    otherwise: ask
    approval: {who: [finance, legal, admin], need: 2, reject: 2, expires: 4h}
"""


async def asked(world: World, text: str = STAGES, **more: Any) -> tuple[str, RunFacts]:
    world.rules(text)
    facts = world.run("pay 500 to DE12345", **more)
    return await world.park(facts, "pay", **BIG), facts


def state(world: World, ref: str) -> str:
    card = world.cards(ref)[0].content
    assert card.type == "card"
    return card.state


async def test_a_later_stage_is_asked_once_the_earlier_one_has_agreed(either_world: World) -> None:
    world = either_world
    world.team.roles["finance"] = {"bo", "dee"}
    ref, facts = await asked(world)
    assert (
        state(world, ref) == "Waiting · step 1 of 2: 0 of 1 from legal · decided by 1 of legal, not the requester; "
        "then 2 of finance, not the requester"
    )
    early = await world.vote("bo", ref)
    assert not early.ok
    assert early.text.startswith(f"It is not your turn yet: {ref} is at step 1 of 2: 0 of 1 from legal.")
    assert [one.ref for one in await world.approvals.waiting_for(world.team.people["bo"])] == []
    assert (await world.vote("lea", ref)).text == "Your approval is recorded: step 2 of 2: 0 of 2 from finance (Lea)."
    assert [one.ref for one in await world.approvals.waiting_for(world.team.people["bo"])] == [ref]
    assert (await world.vote("bo", ref)).ok
    assert world.approval(ref).state == rows.PENDING
    assert (await world.vote("dee", ref)).ok
    assert result(await world.go_on(facts, "pay", **BIG)) == "paid 500 to DE12345"
    assert state(world, ref).startswith("Approved by Lea, Bo and Dee")


async def test_whoever_agreed_in_one_stage_does_not_count_in_another(world: World) -> None:
    """Cy is of legal and of finance: two steps mean two pairs of eyes."""
    ref, _ = await asked(world)
    assert (await world.vote("cy", ref)).ok
    assert (await world.vote("bo", ref)).ok
    assert "You have voted on" in (await world.vote("cy", ref)).text
    assert world.approval(ref).state == rows.PENDING


async def test_a_stage_is_open_again_when_who_agreed_in_it_has_lost_the_role(world: World) -> None:
    world.team.roles["finance"] = {"bo", "dee"}
    ref, facts = await asked(world)
    assert (await world.vote("lea", ref)).ok
    world.team.roles["legal"] = {"cy"}
    reply = await world.vote("bo", ref)
    assert not reply.ok
    assert "It is not your turn yet" in reply.text
    assert "step 1 of 2" in state(world, ref)
    assert (await world.vote("cy", ref)).ok
    assert [(await world.vote(who, ref)).ok for who in ("bo", "dee")] == [True, True]
    assert result(await world.go_on(facts, "pay", **BIG)) == "paid 500 to DE12345"


async def test_a_role_that_comes_back_makes_the_vote_count_again(world: World) -> None:
    world.team.roles["finance"] = {"bo", "dee"}
    ref, _ = await asked(world)
    await world.vote("lea", ref)
    world.team.roles["legal"] = set()
    assert not (await world.vote("bo", ref)).ok
    world.team.roles["legal"] = {"lea"}
    assert (await world.vote("bo", ref)).ok
    assert (await world.vote("dee", ref)).ok
    assert world.approval(ref).state == rows.APPROVED


async def test_somebody_who_left_the_team_counts_no_longer(world: World) -> None:
    world.rules(STAGES.replace("stages: [{who: legal}, {who: finance, need: 2}]", "who: finance\n      need: 2"))
    facts = world.run("pay 500 to DE12345")
    ref = await world.park(facts, "pay", **BIG)
    await world.vote("bo", ref)
    del world.team.people["bo"]
    assert (await world.vote("cy", ref)).ok
    assert world.approval(ref).state == rows.PENDING


async def test_accounts_that_were_linked_between_two_votes_are_one_person(world: World) -> None:
    """Bo voted from an account that nobody had listed yet."""
    world.rules(STAGES.replace("stages: [{who: legal}, {who: finance, need: 2}]", "who: finance\n      need: 2"))
    facts = world.run("pay 500 to DE12345")
    ref = await world.park(facts, "pay", **BIG)
    old = Actor(platform="slack", tenant="T1", user="U-NEW", name="Bo")
    world.team.roles["finance"].add(old.account)
    assert (await world.approvals.vote(ref, 1, "approve", old)).ok
    world.team.links[old.account] = "bo"
    assert "You have voted" in (await world.vote("bo", ref)).text
    assert world.approval(ref).state == rows.PENDING


async def test_an_edit_begins_with_the_first_stage_again(world: World) -> None:
    world.team.roles["finance"] = {"bo", "dee"}
    ref, _ = await asked(world)
    assert not (await world.approvals.edit(ref, 1, {"arg_amount": "400"}, account("bo"))).ok
    await world.vote("lea", ref)
    assert (await world.approvals.edit(ref, 1, {"arg_amount": "400"}, account("bo"))).ok
    assert "step 1 of 2: 0 of 1 from legal" in state(world, ref)
    assert not (await world.vote("dee", ref)).ok


async def test_dialogs_open_only_for_those_whose_turn_it_is(world: World) -> None:
    ref, _ = await asked(world)
    press = Press(subject=ref, revision=1, verb="reject")
    with pytest.raises(Exception, match="not your turn yet"):
        await world.approvals.answer(press, account("bo"))
    assert await world.approvals.form(press, account("lea")) is not None


async def test_where_two_have_to_reject_one_alone_does_not_end_it(either_world: World) -> None:
    world = either_world
    ref, facts = await asked(world, TWO_AGAINST)
    first = await world.vote("lea", ref, "reject", reason="not this month")
    assert first.text == "Your rejection is recorded: 0 of 2 approvals, 1 of 2 rejections (Lea)."
    assert (await world.vote("bo", ref)).ok
    assert (await world.vote("dee", ref, "reject", reason="no budget")).text.startswith("Rejected")
    assert "Rejected by Lea and Dee" in failure(await world.go_on(facts, "pay", **BIG))


async def test_who_rejected_does_not_stand_among_those_who_allowed_it(world: World) -> None:
    ref, facts = await asked(world, TWO_AGAINST)
    await world.vote("lea", ref, "reject", reason="not this month")
    await world.vote("bo", ref)
    await world.vote("cy", ref)
    assert result(await world.go_on(facts, "pay", **BIG)) == "paid 500 to DE12345"
    assert state(world, ref).startswith("Approved by Bo and Cy")
    begun = world.entries("call.started")[0]
    assert sorted(begun["by"]) == ["bo", "cy"]
