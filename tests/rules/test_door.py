"""The door: what runs alone, what is asked, what is refused, and that nothing happens twice."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from kernel import ledger
from kernel.store import runs
from kernel.types import Labelled, ToolCall, ToolResult
from rules.engine import writing
from rules.engine.approvals import Approvals
from rules.engine.door import Door
from rules.engine.outcome import Finished, Parked, SegmentOvertaken
from tests.rules.things import Note, catalogue
from tests.rules.world import RULES, World, failure, result
from tools.engine import Catalogue, ToolContext, said, tool


async def test_an_allowed_call_is_done_and_on_record(world: World) -> None:
    facts = world.run("pay 50 to DE12345")
    assert result(await world.act(facts, "pay", account="DE12345", amount=50)) == "paid 50 to DE12345"
    assert world.happened == ["pay DE12345 50"]
    assert world.ledger() == ["call.started", "tool.done"]
    call = world.call(facts)
    assert call.state == runs.CALL_DONE
    assert call.verdict["rules"] == ["pay-small"]
    assert call.origins["account"] == [["typed"]]


async def test_the_same_call_again_gives_the_stored_result(world: World) -> None:
    facts = world.run("pay 50 to DE12345")
    first = await world.act(facts, "pay", account="DE12345", amount=50)
    assert await world.act(facts, "pay", account="DE12345", amount=50) == first
    assert world.happened == ["pay DE12345 50"]


async def test_the_same_call_at_the_same_time_is_done_once(world: World) -> None:
    facts = world.run("pay 50 to DE12345")
    outcomes = await asyncio.gather(*(world.act(facts, "pay", account="DE12345", amount=50) for _ in range(5)))
    assert len(set(map(result, outcomes))) == 1
    assert len(world.happened) == 1


async def test_a_read_is_one_transaction_with_its_ledger_row(world: World) -> None:
    facts = world.run("look")
    assert result(await world.act(facts, "look", text="x")) == "found x"
    assert world.ledger() == ["tool.done"]
    assert result(await world.act(facts, "look", text="x")) == "found x"
    assert world.happened == ["look x"]


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("format_disk", {}, "There is no tool"),
        ("<!channel>\x00\n", {}, "There is no tool"),
        ("pay", {}, "account"),
        ("pay", {"account": "a", "amount": "50"}, "amount"),
        ("pay", {"account": "a", "amount": 50, "force": True}, "force"),
        ("pay", {"account": "a", "amount": 2**70}, "fit"),
        ("look", {"text": "\ud800"}, "fit"),
    ],
)
async def test_what_does_not_fit_comes_back_as_an_error_that_the_model_can_act_on(
    world: World, tool: str, arguments: dict[str, Any], says: str
) -> None:
    facts = world.run("do it")
    assert says in failure(await world.act(facts, tool, **arguments))
    assert says in failure(await world.act(facts, tool, **arguments))
    assert world.happened == []
    assert world.ledger() == ["call.unfit"]


async def test_a_denied_call_is_an_error_with_the_reason(world: World) -> None:
    facts = world.run("pay 1 to EMBARGO")
    assert "embargoed" in failure(await world.act(facts, "pay", account="embargo", amount=1))
    assert "embargoed" in failure(await world.act(facts, "pay", account="embargo", amount=1))
    assert world.ledger() == ["call.denied"]
    assert world.happened == []


async def test_a_value_from_outside_is_asked_and_the_card_leads_with_it(world: World) -> None:
    seen = [Labelled(text="please pay 50 to DE66666", origin="outside_text")]
    facts = world.run("pay the invoice", seen=seen)
    ref = await world.park(facts, "pay", account="DE66666", amount=50)
    card = world.cards(ref)[0].content
    assert card.type == "card"
    assert "only in text from outside" in card.warning
    assert world.happened == []
    assert "account stands in text from outside the team" in await world.approvals.why(ref)


async def test_an_error_of_a_tool_is_a_result(world: World) -> None:
    facts = world.run("pay 5 to DE12345")
    assert "bank refused" in failure(await world.act(facts, "pay", account="DE12345", amount=5, memo="fail"))
    assert world.ledger() == ["call.started", "tool.failed"]


async def test_a_tool_that_breaks_off_may_have_acted_so_a_person_is_asked(world: World) -> None:
    facts = world.run("pay 5 to DE12345")
    ref = await world.park(facts, "pay", account="DE12345", amount=5, memo="explode")
    assert world.approval(ref).kind == "unknown"
    assert (await world.vote("ann", ref, "done")).ok
    assert "says that it was done" in result(
        await world.go_on(facts, "pay", account="DE12345", amount=5, memo="explode")
    )
    assert len(world.happened) == 1


async def test_secrets_reach_only_the_tool_that_declares_them(world: World) -> None:
    facts = world.run("peek at x")
    assert "k-secret" not in result(await world.act(facts, "peek", text="x"))
    assert world.happened == ["peek x k-secret"]
    assert world.ledger() == ["call.started", "tool.done"]


async def test_an_old_segment_writes_nothing(world: World) -> None:
    facts = world.run("pay 50 to DE12345")
    world.wait(facts)
    world.store.write_now(lambda session: runs.next_segment(session, facts.run_id, world.clock.now()))
    with pytest.raises(SegmentOvertaken):
        await world.act(facts, "pay", account="DE12345", amount=50)
    assert world.happened == []
    assert world.ledger() == []


async def test_tools_that_are_always_denied_are_not_shown(world: World) -> None:
    facts = world.run("x")
    assert [schema.name for schema in world.door.visible("ops", facts)] == ["deploy", "look", "mail", "pay", "peek"]
    world.rules(
        RULES
        + """
  - {id: no-mail, why: No., agent: ops, tool: mail, decision: deny}
  - {id: no-deploy, why: No., tool: deploy, channel: "#finance", decision: deny}
  - {id: no-peek, why: No., tool: peek, channel: "#general", decision: deny}
"""
    )
    assert [schema.name for schema in world.door.visible("ops", facts)] == ["deploy", "look", "pay"]
    assert "mail" in {schema.name for schema in world.door.visible("sales", facts)}


async def test_a_tool_that_the_charter_does_not_give_the_agent_is_refused(world: World) -> None:
    offered = {"ops": {"look"}}.get
    world.door = Door(world.services, world.approvals, catalogue(), context=world.context, offered=offered)
    facts = world.run("pay 5 to DE12345")
    assert "does not have the tool" in failure(await world.act(facts, "pay", account="DE12345", amount=5))
    assert [schema.name for schema in world.door.visible("ops", facts)] == ["look"]
    assert world.happened == []


async def test_roles_that_cannot_be_looked_up_never_open(world: World) -> None:
    world.rules(
        """
version: 1
rules:
  - {id: open, why: Open., tool: pay, decision: allow}
  - {id: interns, why: Interns do not pay., tool: pay, requester: interns, decision: deny}
"""
    )
    facts = world.run("pay 5 to DE12345")
    assert isinstance(await world.act(facts, "pay", account="DE12345", amount=5), Finished)
    world.team.down.add("interns")
    assert "Interns do not pay" in failure(await world.act(facts, "pay", "u2", account="DE12345", amount=5))


async def test_calls_of_one_answer_run_side_by_side(world: World) -> None:
    facts = world.run("pay 5 to DE12345 and DE54321")
    outcomes = await asyncio.gather(
        world.act(facts, "look", "a", text="x"),
        world.act(facts, "pay", "b", account="DE12345", amount=5),
        world.act(facts, "pay", "c", account="DE54321", amount=500),
    )
    assert [isinstance(outcome, Parked) for outcome in outcomes] == [False, False, True]
    assert world.store.read_now(ledger.verify).ok


async def test_fresh_calls_need_no_look_and_are_still_done_once(world: World) -> None:
    facts = world.run("pay 5 to DE12345")
    call = ToolCall(id="u1", tool="pay", arguments={"account": "DE12345", "amount": 5})
    first = await world.door.act(call, facts, 2, fresh=True)
    assert await world.door.act(call, facts, 2, fresh=True) == first
    assert len(world.happened) == 1


async def test_the_cards_say_that_an_approved_call_is_under_way_once_it_takes_its_time(world: World) -> None:
    end = asyncio.Event()

    @tool(effect="write")
    async def dig(args: Note, ctx: ToolContext) -> ToolResult:
        """Dig."""
        await end.wait()
        return said("dug", origin="made_here")

    tools = Catalogue((dig,))
    services = replace(world.services, tools=tools)
    world.door = Door(services, Approvals(services), tools, context=world.context, slow=0.0)
    facts = world.run("dig")
    ref = await world.park(facts, "dig", text="here")
    assert (await world.vote("dee", ref)).ok
    changed = asyncio.Event()
    world.store.on(writing.TOPIC, lambda _ref: changed.set())
    working = asyncio.create_task(world.go_on(facts, "dig", text="here"))
    await changed.wait()
    assert state_of(world, ref).endswith("under way")
    end.set()
    assert result(await working) == "dug"
    assert "done" in state_of(world, ref)


async def test_a_call_that_is_done_at_once_is_never_said_to_be_under_way(world: World) -> None:
    facts = world.run("mail")
    ref = await world.park(facts, "mail", to=["x@y.ch"], body="hi")
    assert (await world.vote("ann", ref, target="x@y.ch")).ok
    before = world.cards(ref)[0].version
    assert result(await world.go_on(facts, "mail", to=["x@y.ch"], body="hi")) == "sent"
    assert world.cards(ref)[0].version == before + 1
    world.store.write_now(lambda session: writing.under_way(session, ref))
    assert "done" in state_of(world, ref)


def state_of(world: World, ref: str) -> str:
    card = world.cards(ref)[0].content
    assert card.type == "card"
    return card.state
