"""Breaking the glass: one person of a named role decides alone, with a reason, and everybody reads it."""

from typing import Any

import pytest

from kernel.errors import NotAllowed
from kernel.store import approvals as rows
from kernel.types import Form, Press, RunFacts
from tests.rules.people import account
from tests.rules.world import RULES, World, failure, result

BIG: dict[str, Any] = {"account": "DE12345", "amount": 500.0}
GLASS = RULES.replace('where: "#finance"', "break_glass: {who: [interns, admin], where: ['#finance']}")


async def asked(world: World, text: str = GLASS, **more: Any) -> tuple[str, RunFacts]:
    world.rules(text)
    facts = world.run("pay 500 to DE12345", **more)
    return await world.park(facts, "pay", **BIG), facts


def posts(world: World) -> list[tuple[str, str]]:
    found = [(row.where.channel, row.content) for row in world.outbox()]
    return [(channel, body.markdown) for channel, body in found if body.type == "text"]


async def test_one_person_decides_alone_and_the_team_reads_why(either_world: World) -> None:
    world = either_world
    ref, facts = await asked(world)
    await world.vote("bo", ref)
    form = await world.approvals.answer(Press(subject=ref, revision=1, verb="break_glass"), account("ida"))
    assert isinstance(form, Form)
    assert form.note.endswith("It is posted publicly.")
    fields = {"reason": "The *supplier* stops at noon"}
    said = await world.approvals.answer(
        Press(subject=ref, revision=1, verb="break_glass", fields=fields), account("ida")
    )
    assert "Decided by you alone" in str(said)
    assert result(await world.go_on(facts, "pay", **BIG)) == "paid 500 to DE12345"
    told = posts(world)
    assert [channel for channel, _ in told] == ["general", "finance"]
    assert "**Emergency:** Ida (interns) approved “Pay: DE12345” alone" in told[0][1]
    assert "The \\*supplier\\* stops at noon" in told[0][1]
    for copy in world.cards(ref):
        assert "Approved in an emergency by Ida (interns) alone" in getattr(copy.content, "state", "")
    assert world.entries("approval.break_glass")[0]["reason"] == "The *supplier* stops at noon"
    assert world.entries("call.started")[0]["by"] == ["ida"]


async def test_without_a_reason_nothing_is_recorded(world: World) -> None:
    ref, _ = await asked(world)
    assert "A reason of 3 to 1000 characters is needed" in (await world.vote("ida", ref, "break_glass")).text
    assert world.approval(ref).state == rows.PENDING
    assert posts(world) == []


@pytest.mark.parametrize("who", ["bo", "lea", "ann", "zoe", "stranger"])
async def test_nobody_else_breaks_it(world: World, who: str) -> None:
    ref, _ = await asked(world)
    reply = await world.vote(who, ref, "break_glass", reason="it burns")
    assert not reply.ok
    assert world.approval(ref).state == rows.PENDING
    assert world.ledger()[-1] == "approval.turned_away"
    with pytest.raises(NotAllowed):
        await world.approvals.form(Press(subject=ref, revision=1, verb="break_glass"), account(who))


async def test_whoever_asked_never_breaks_it(world: World) -> None:
    ref, _ = await asked(world, by="ida")
    assert not (await world.vote("ida", ref, "break_glass", reason="it burns")).ok
    assert world.approval(ref).state == rows.PENDING


async def test_where_the_rule_names_nobody_there_is_no_glass(world: World) -> None:
    ref, _ = await asked(world, RULES)
    reply = await world.vote("ida", ref, "break_glass", reason="it burns")
    assert "its rule names no role for an emergency" in reply.text
    assert "break_glass" not in str(world.cards(ref)[0].body)


async def test_a_role_that_cannot_be_looked_up_breaks_nothing(world: World) -> None:
    ref, _ = await asked(world)
    world.team.down.add("interns")
    assert "cannot verify your role" in (await world.vote("ida", ref, "break_glass", reason="it burns")).text
    assert world.approval(ref).state == rows.PENDING


async def test_rules_that_took_the_glass_away_ask_again(world: World) -> None:
    ref, facts = await asked(world)
    assert (await world.vote("ida", ref, "break_glass", reason="it burns")).ok
    world.rules(GLASS.replace("[interns, admin]", "[admin]"))
    await world.go_on(facts, "pay", **BIG)
    assert world.approval(ref).state == rows.WITHDRAWN
    assert world.happened == []


async def test_what_is_denied_by_now_is_not_done_in_an_emergency_either(world: World) -> None:
    ref, facts = await asked(world)
    assert (await world.vote("ida", ref, "break_glass", reason="it burns")).ok
    world.rules(GLASS + "\n  - {id: freeze, why: All payments are frozen., tool: pay, decision: deny}\n")
    assert "payments are frozen" in failure(await world.go_on(facts, "pay", **BIG))
    assert world.happened == []
