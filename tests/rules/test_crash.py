"""A process dies between the start of a call and its result: nothing is repeated that may not be."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from kernel.store import approvals as rows
from kernel.store import runs
from kernel.types import RunFacts
from rules.engine.outcome import Parked
from tests.rules.world import World, failure, result

ROOT = Path(__file__).parents[2]
DIES: dict[str, Any] = {"account": "DE12345", "amount": 5.0, "memo": "die"}


async def die(world: World, facts: RunFacts, tool: str, arguments: dict[str, object]) -> None:
    url = world.store.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.rules.dying", url, str(world.folder)]
    command += [facts.model_dump_json(), tool, json.dumps(arguments)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    assert await process.wait() == 9


async def test_a_person_is_asked_what_became_of_it(either_world: World) -> None:
    world = either_world
    facts = world.run("pay 5 to DE12345")
    await die(world, facts, "pay", DIES)
    assert world.call(facts).state == runs.STARTED
    ref = await world.park(facts, "pay", **DIES)
    card = world.cards(ref)[0].content
    assert card.type == "card"
    assert [action.verb for action in card.actions] == ["done", "repeat", "give_up", "details"]
    assert not (await world.vote("bo", ref, "done")).ok
    assert not (await world.vote("ann", ref, "approve")).ok
    again = await world.go_on(facts, "pay", **DIES)
    assert isinstance(again, Parked)
    assert (await world.vote("ann", ref, "done")).ok
    assert "Ann has looked" in result(await world.go_on(facts, "pay", **DIES))
    assert world.happened == ["pay DE12345 5"]


async def test_give_up_and_silence_are_told_to_the_agent(world: World) -> None:
    facts, other = world.run("pay 5 to DE12345"), world.run("pay 5 to DE12345")
    await die(world, facts, "pay", DIES)
    await die(world, other, "pay", DIES)
    ref, silent = await world.park(facts, "pay", **DIES), await world.park(other, "pay", **DIES)
    assert (await world.vote("dee", ref, "give_up")).ok
    assert "may have happened. Dee gave it up" in failure(await world.go_on(facts, "pay", **DIES))
    world.clock.advance(days=8)
    assert await world.approvals.expire_due(world.clock.now()) == 1
    assert world.approval(silent).state == rows.EXPIRED
    assert "nobody answered" in failure(await world.go_on(other, "pay", **DIES))


async def test_repeat_repeats_once(world: World) -> None:
    facts = world.run("pay 5 to DE12345")
    await die(world, facts, "pay", DIES)
    ref = await world.park(facts, "pay", **DIES)
    assert (await world.vote("ann", ref, "repeat")).ok
    await die(world, world.now(facts), "pay", DIES)  # and dies again
    assert world.happened == ["pay DE12345 5"] * 2
    second = await world.park(world.now(facts), "pay", **DIES)
    assert second != ref


async def test_what_was_approved_and_cut_off_is_not_approved_again(world: World) -> None:
    facts = world.run("pay 500 to DE12345")
    call: dict[str, Any] = {**DIES, "amount": 500.0}
    ref = await world.park(facts, "pay", **call)
    await world.vote("bo", ref)
    await world.vote("cy", ref)
    await die(world, world.now(facts), "pay", call)
    unknown = await world.park(world.now(facts), "pay", **call)
    assert world.approval(unknown).kind == "unknown"
    assert (await world.vote("bo", unknown, "done")).ok
    assert "Bo has looked" in result(await world.go_on(facts, "pay", **call))
    assert world.happened == ["pay DE12345 500"]


async def test_a_tool_that_is_safe_to_repeat_is_repeated_with_the_same_key(world: World) -> None:
    facts = world.run("deploy build 666 to staging")
    call: dict[str, Any] = {"environment": "staging", "build": 666}
    await die(world, facts, "deploy", call)
    await die(world, facts, "deploy", call)
    first, second = world.happened
    assert first == second
    assert world.call(facts).id in first
