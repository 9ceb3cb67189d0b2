"""What time does to an approval: who is written to, who is reminded, who is asked as well. Each once."""

import asyncio
from typing import Any

from kernel.store import approvals as rows
from kernel.store import outbox
from kernel.types import Press, RunFacts
from tests.rules.people import account
from tests.rules.world import World, failure

BIG: dict[str, Any] = {"account": "DE12345", "amount": 500.0}
PLAIN = """
version: 1
rules:
  - id: pay-two
    why: Two people of finance.
    tool: pay
    otherwise: ask
    approval: {who: finance, need: 2, expires: 20h, edit: true}
"""
ESCALATES = """
version: 1
rules:
  - id: pay-two
    why: Two people of finance, after two hours also of legal, after three also an admin.
    tool: pay
    otherwise: ask
    approval:
      who: finance
      need: 2
      expires: 8h
      remind: false
      escalate: [{after: 2h, to: interns}, {after: 3h, to: admin}]
"""
STAGES = """
version: 1
rules:
  - id: pay-in-steps
    why: Finance first, then an admin, or after an hour somebody of legal.
    tool: pay
    otherwise: ask
    approval:
      stages: [{who: finance}, {who: admin, escalate: [{after: 1h, to: legal}]}]
      expires: 8h
      remind: false
"""


async def asked(world: World, text: str = PLAIN, **more: Any) -> tuple[str, RunFacts]:
    world.rules(text)
    facts = world.run("pay 500 to DE12345", **more)
    return await world.park(facts, "pay", **BIG), facts


async def due(world: World) -> None:
    """Two processes do what is due."""
    now = world.clock.now()
    await asyncio.gather(world.approvals.run_due(now), world.approvals.run_due(now))


def sent(world: World, user: str) -> list[str]:
    """What was written to somebody alone, the newest last."""
    found = [row for row in direct(world) if row.to is not None and row.to.user == user]
    return [getattr(row.content, "markdown", "") or getattr(row.content, "state", "") for row in found]


def direct(world: World) -> list[outbox.OutboxRow]:
    return [row for row in world.outbox() if not row.where.channel]


def thread(world: World) -> list[str]:
    """The prose in the thread of the request."""
    said = [row.content for row in world.outbox() if row.where.thread == "m1"]
    return [body.markdown for body in said if body.type == "text"]


async def test_each_who_decides_gets_the_card_alone_and_every_copy_shows_what_was_decided(either_world: World) -> None:
    world = either_world
    ref, facts = await asked(world)
    await due(world)
    await due(world)
    assert sorted(row.to.user for row in direct(world) if row.to) == ["bo", "cy"]
    await world.vote("bo", ref)
    states = {getattr(copy.content, "state", "") for copy in world.cards(ref)}
    assert states == {"Waiting · 1 of 2 approvals (Bo) · decided by 2 of finance, not the requester"}
    await world.vote("cy", ref)
    await world.go_on(facts, "pay", **BIG)
    assert len(world.cards(ref)) == 3
    for copy in world.cards(ref):
        card = copy.content
        assert card.type == "card"
        assert card.state.startswith("Approved by Bo and Cy")
        assert card.actions == ()


async def test_the_requester_is_not_written_to_about_what_they_asked_themselves(world: World) -> None:
    world.rules(PLAIN.replace("who: finance, need: 2", "who: [requester, finance]"))
    facts = world.run("pay 500 to DE12345")
    await world.park(facts, "pay", **BIG)
    await due(world)
    assert sorted(row.to.user for row in direct(world) if row.to) == ["bo", "cy"]


async def test_reminders_come_at_half_and_nine_tenths_to_those_who_have_not_voted(either_world: World) -> None:
    world = either_world
    ref, _ = await asked(world)
    await due(world)
    await world.vote("bo", ref)
    world.clock.advance(hours=9, minutes=59)
    await due(world)
    assert thread(world) == []
    world.clock.advance(minutes=1)
    await due(world)
    await due(world)
    assert thread(world) == [f"{ref} still waits for Cy: 1 of 2 approvals (Bo), until 03 Mar 2026 05:00 UTC."]
    assert [text for text in sent(world, "cy") if "still waits for you" in text] == [
        f"**{ref}** still waits for you: “Pay: DE12345”. 1 of 2 approvals (Bo), until 03 Mar 2026 05:00 UTC."
    ]
    assert not [text for text in sent(world, "bo") if "still waits" in text]
    world.clock.advance(hours=8)
    await due(world)
    assert len(thread(world)) == 2
    assert world.ledger().count("approval.reminded") == 2
    world.clock.advance(hours=1, minutes=59)
    await due(world)
    assert len(thread(world)) == 2


async def test_two_reminders_within_four_hours_are_one(world: World) -> None:
    ref, _ = await asked(world, PLAIN.replace("expires: 20h", "expires: 2h"))
    world.clock.advance(hours=1)
    await due(world)
    world.clock.advance(minutes=50)
    await due(world)
    assert len(thread(world)) == 1
    assert world.approval(ref).state == rows.PENDING


async def test_a_rule_says_when_it_reminds_or_that_it_does_not(world: World) -> None:
    await asked(world, PLAIN.replace("edit: true", "remind: [5h]"))
    await asked(world, PLAIN.replace("edit: true", "remind: false"))
    world.clock.advance(hours=5)
    await due(world)
    assert len(thread(world)) == 1
    world.clock.advance(hours=14)
    await due(world)
    assert len(thread(world)) == 1


async def test_nobody_is_reminded_in_their_night_and_the_reminder_comes_in_the_morning(world: World) -> None:
    """Bo's quiet hours are from 19:00 to 20:00."""
    world.team.people["bo"] = world.team.people["bo"].model_copy(update={"quiet": (19 * 60, 20 * 60)})
    await asked(world)
    world.clock.advance(hours=10)
    assert world.clock.now().hour == 19
    await due(world)
    assert len([text for text in sent(world, "cy") if "still waits" in text]) == 1
    assert not [text for text in sent(world, "bo") if "still waits" in text]
    world.clock.advance(hours=1)
    await due(world)
    assert len([text for text in sent(world, "bo") if "still waits" in text]) == 1
    assert len([text for text in sent(world, "cy") if "still waits" in text]) == 1


async def test_after_a_while_further_roles_count_and_the_card_and_the_thread_say_so(either_world: World) -> None:
    world = either_world
    ref, _ = await asked(world, ESCALATES)
    assert not (await world.vote("ida", ref)).ok
    world.clock.advance(hours=2)
    await due(world)
    await due(world)
    assert world.ledger().count("approval.escalated") == 1
    assert thread(world) == [f"Nobody has decided about {ref} yet, so interns can decide as well: 0 of 2 approvals."]
    assert "asked interns as well" in sent(world, "ida")[0]
    assert (await world.vote("ida", ref)).ok
    assert not (await world.vote("dee", ref)).ok
    world.clock.advance(hours=1)
    await due(world)
    assert "asked interns and admin as well" in getattr(world.cards(ref)[0].content, "state", "")
    assert (await world.vote("dee", ref)).text.startswith("Approved")


async def test_what_is_decided_before_is_not_escalated(world: World) -> None:
    ref, _ = await asked(world, ESCALATES)
    await world.vote("bo", ref)
    await world.vote("cy", ref)
    world.clock.advance(hours=4)
    await due(world)
    assert "approval.escalated" not in world.ledger()
    assert thread(world) == []


async def test_the_escalation_of_a_stage_counts_from_its_beginning(world: World) -> None:
    ref, _ = await asked(world, STAGES)
    world.clock.advance(hours=3)
    await due(world)
    assert sent(world, "dee") == []
    await world.vote("bo", ref)
    await due(world)
    assert len(sent(world, "dee")) == 1
    assert not (await world.vote("lea", ref)).ok
    world.clock.advance(hours=1)
    await due(world)
    assert (await world.vote("lea", ref)).text.startswith("Approved")


async def test_a_role_that_cannot_be_looked_up_is_asked_a_minute_later(world: World) -> None:
    await asked(world)
    world.team.down.add("finance")
    await due(world)
    assert direct(world) == []
    world.team.down.clear()
    await due(world)
    assert direct(world) == []
    world.clock.advance(minutes=1)
    await due(world)
    assert len(direct(world)) == 2


async def test_an_edit_neither_sends_the_card_twice_nor_forgets_the_reminders(world: World) -> None:
    ref, _ = await asked(world)
    await due(world)
    assert (await world.approvals.edit(ref, 1, {"arg_amount": "400"}, account("cy"))).ok
    await due(world)
    assert len(direct(world)) == 2
    assert {getattr(copy.content, "footer", "").split(" · ")[1] for copy in world.cards(ref)} == {"revision 2"}
    world.clock.advance(hours=10)
    await due(world)
    assert len(thread(world)) == 1


async def test_what_expires_is_told_as_such_and_every_copy_is_inert(world: World) -> None:
    ref, facts = await asked(world)
    await due(world)
    world.clock.advance(hours=20)
    await due(world)
    assert thread(world) == []
    assert await world.approvals.expire_due(world.clock.now()) == 1
    for copy in world.cards(ref):
        assert "nobody decided, nothing was done" in getattr(copy.content, "state", "")
        assert getattr(copy.content, "actions", None) == ()
    assert "Nobody decided in time" in failure(await world.go_on(facts, "pay", **BIG))
    late = await world.approvals.answer(Press(subject=ref, revision=1, verb="approve"), account("bo"))
    assert "nobody decided in time" in str(late)


async def test_a_card_has_at_most_ten_copies_in_direct_messages(world: World) -> None:
    for number in range(14):
        name = f"p{number:02}"
        world.team.people[name] = world.team.people["bo"].model_copy(update={"id": name, "name": name})
        world.team.roles["finance"].add(name)
    await asked(world)
    await due(world)
    assert len(direct(world)) == 10


async def test_the_clock_survives_a_restart(world: World) -> None:
    """Everything that is due is a row: another process on the same database does it."""
    ref, _ = await asked(world)
    other = World(world.store, world.folder, clock=world.clock)
    other.clock.advance(hours=10)
    await other.approvals.run_due(other.clock.now())
    assert [text for text in sent(other, "bo") if ref in text]
