"""The team's files: a mistake changes nothing and is reported; workflows run when they are due and when asked for."""

import contextlib
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from kernel.store import runs
from tests.behaviours.chat import Chat, Said, Spot
from tests.behaviours.outside import Outside
from tests.behaviours.payments import ask_for_payment
from tests.behaviours.slack_chat import SlackChat
from tests.behaviours.web_chat import WebChat
from tests.behaviours.world import World
from tests.tools.mcp_servers import program

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPERATORS, GENERAL = Spot(channel="bosun"), Spot(channel="general")


async def test_a_mistake_in_the_charter_is_reported_to_the_operators_and_the_old_one_stays(
    world: World, slack: SlackChat
) -> None:
    path = world.charter / "rules" / "starter.yaml"
    good = path.read_text()
    try:
        path.write_text(good.replace("tool: queue_payment", "tool: queue_paymnet", 1))
        said = await slack.answer(OPERATORS, "I did not take the change", "rules/starter.yaml", "queue_paymnet")
        assert "queue_payment" in said.text  # the suggestion
        asked = await ask_for_payment(slack)  # the rule still asks
        assert "A payment needs somebody from finance" in asked.card.text
        await world.quiet()
        assert len(await slack.answers(OPERATORS)) == 1
    finally:
        path.write_text(good)


async def test_a_changed_rule_is_in_force_without_a_restart(world: World, chat: Chat) -> None:
    path = world.charter / "rules" / "starter.yaml"
    good = path.read_text()
    before = world.app.charter.digest
    try:
        path.write_text(good.replace("A payment needs somebody from finance", "Money is for finance"))

        async def changed() -> bool:
            return world.app.charter.digest != before

        await world.until(changed)
        asked = await ask_for_payment(chat)
        assert "Money is for finance" in asked.card.text
    finally:
        path.write_text(good)

        async def restored() -> bool:
            return world.app.charter.digest == before

        await world.until(restored)


@contextlib.asynccontextmanager
async def finance_is_also(world: World, group: dict[str, str]) -> AsyncIterator[None]:
    """The charter says that a group of a platform holds the role too."""
    path, digest = world.charter / "people.yaml", world.app.charter.digest
    good = path.read_text()
    people = yaml.safe_load(good)
    people["roles"]["finance"] |= group

    async def taken() -> bool:
        return (world.app.charter.digest == digest) == (path.read_text() == good)

    try:
        path.write_text(yaml.safe_dump(people))
        await world.until(taken)
        yield
    finally:
        path.write_text(good)
        await world.until(taken)


@pytest.mark.behaviour(31)
async def test_a_role_that_cannot_be_looked_up_is_held_by_nobody_until_it_can(
    world: World, outside: Outside, web: WebChat
) -> None:
    """Eve is in no file's finance. She decides in the web chat, as from Discord her roles come with her press."""
    world.not_rough("here the look-up of a role is what fails")
    group, look_up, refusal = outside.group("eve")
    async with finance_is_also(world, group):
        asked = await ask_for_payment(outside)
        world.clock.advance(minutes=2)  # what is known of a group is known for one
        outside.fail(look_up, refusal, times=1000)
        before = len(await web.notices("eve"))
        await web.command("eve", f"/approve {asked.ref}", GENERAL)
        await web.notice("eve", "cannot verify your role now", after=before)
        await world.quiet()
        assert await world.paid(asked.reference) == []
        world.slack.faults.heal()
        world.discord.faults.heal()
        await web.command("eve", f"/approve {asked.ref}", GENERAL)
        await outside.answer(asked.spot, "Done.")
        assert len(await world.paid(asked.reference)) == 1


@pytest.mark.behaviour(23)
async def test_a_digest_can_be_asked_for_in_the_chat(world: World, chat: Chat) -> None:
    spot = await chat.ask("ann", "what did we do on monday?")
    await chat.answer(spot, "what did we do on monday?")
    await chat.say("ann", "run digest", spot)
    await chat.answer(spot, "Started digest" if chat.platform == "web" else "Started **digest**")
    digest = await chat.answer(GENERAL, "Digest of #general", "what did we do on monday?")
    assert "Ann" in digest.text


async def test_a_workflow_is_seen_held_and_corrected_in_the_chat(world: World, chat: Chat) -> None:
    spot = await chat.ask("ann", "which workflows are there?")
    await chat.answer(spot, "which workflows are there?")
    await chat.say("ann", "workflow incident", spot)
    await chat.answer(spot, "When a message in #general contains", "fills in a form")
    await chat.say("ann", "pause incident", spot)
    await chat.notice("ann", "decides somebody of admin")
    await chat.say("dee", "pause incident", spot)
    await chat.answer(spot, "it does not begin by itself any more")
    await chat.say("dee", "resume incident", spot)
    await chat.answer(spot, "begins by itself again")
    await chat.say("ann", "dry-run digest", spot)
    await chat.notice("ann", "Nothing was done")
    run = (await world.runs("run digest"))[-1]
    await chat.say("ann", f"correct {run.ref} Names first, on {chat.platform}", spot)
    await chat.answer(spot, "as its source")
    await chat.say("ann", "corrections digest", spot)
    await chat.answer(spot, f"Names first, on {chat.platform}", run.ref)
    await chat.say("ann", "uncorrect digest 1", spot)
    await chat.answer(spot, "Forgotten:")
    await chat.say("ann", "history digest", spot)
    await chat.answer(spot, "what became of it", run.ref)


STUMBLES = """
name: stumbles
description: Reads a file that is not there, and goes on
channel: "#general"
steps:
  - id: look
    call: {tool: read_file, agent: ops, with: {path: nowhere.md}}
  - post: {text: "What I read: ({steps.look.text})"}
"""


async def test_a_step_that_fails_can_be_skipped_with_a_button(world: World, chat: Chat) -> None:
    path = world.charter / "workflows" / "stumbles.yaml"
    path.write_text(STUMBLES)
    try:
        await world.app.keeper.look()
        spot = await chat.ask("ann", "run stumbles")
        told = await chat.answer(spot, "did not finish", "nowhere.md")
        assert told.buttons == ("Retry", "Skip step", "Details")
        await chat.click("eve", told, "Skip step")
        await chat.notice("eve", "Only the person who began")
        before = len(await chat.answers(GENERAL))
        await chat.click("ann", told, "Skip step")
        await chat.notice("ann", "goes on without", "look")
        await chat.answer(GENERAL, "What I read: ()")
        await chat.answer(spot, "is done")
        await chat.say("ann", f"skip {run_in(told.text)}", spot)
        await chat.answer(spot, "has not failed")
        assert len(await chat.answers(GENERAL)) == before + 1
    finally:
        path.unlink()
        await world.app.keeper.look()


def run_in(text: str) -> str:
    found = re.search(r"R-[0-9A-Z]{4,}", text)
    assert found is not None, text
    return found[0]


async def test_a_workflow_that_does_not_exist_is_named_to_who_asked(chat: Chat) -> None:
    spot = await chat.ask("ann", "run payroll")
    await chat.notice("ann", "There is no workflow 'payroll'", "digest")
    assert await chat.answers(spot) == []


@pytest.mark.behaviour(23)
async def test_the_digest_comes_by_itself_when_it_is_due_and_once(world: World, slack: SlackChat) -> None:
    spot = await slack.ask("bo", "something for the papers")
    await slack.answer(spot, "something for the papers")
    before = len(await _digests(slack))
    due = datetime.fromtimestamp(await world.ask("digest_due"), UTC)
    world.clock.ahead += due - world.clock.now()
    world.clock.advance(minutes=2)
    await world.ask("ring")

    async def arrived() -> bool:
        return len(await _digests(slack)) > before

    await world.until(arrived)
    await world.ask("ring")
    await world.restart()
    await world.quiet()
    found = await _digests(slack)
    assert len(found) == before + 1
    assert "something for the papers" in found[-1].text


@pytest.mark.behaviour(23)
async def test_a_digest_that_was_missed_is_made_up_for_once_and_an_empty_one_is_not_posted(
    world: World, slack: SlackChat
) -> None:
    await world.quiet()
    before = len(await _digests(slack))
    await world.stop()
    world.clock.advance(days=4)
    await world.start()
    await world.quiet()
    found = await _digests(slack)
    assert len(found) <= before + 1
    await world.restart()
    await world.quiet()
    assert len(await _digests(slack)) == len(found)


async def _digests(slack: SlackChat) -> list[Said]:
    return [said for said in await slack.answers(GENERAL) if "Digest of #general" in said.text]


async def test_a_message_begins_a_workflow_and_a_person_fills_in_its_form(world: World, chat: Chat) -> None:
    root = await chat.say("ann", f"incident: the shop answers slowly on {chat.platform}", GENERAL)
    thread = Spot(channel="general", root=root)
    form = await chat.answer(thread, f"Ann reports: incident: the shop answers slowly on {chat.platform}")
    await chat.click("eve", form, "Answer…")
    await chat.notice("eve", "is for admin or finance")
    await chat.click("dee", form, "Answer…")
    assert set(await chat.dialog("dee")) == {"severity", "lead"}
    await chat.submit("dee", severity="high", lead="Dee")
    await chat.answer(thread, "Incident, severity high, led by Dee.")
    assert "Answered by Dee" in (await chat.answer(thread, f"answers slowly on {chat.platform}")).text

    async def waiting() -> runs.Run | None:
        return next((run for run in await world.runs("run incident") if run.state == runs.WAITING), None)

    run = await world.until(waiting)
    before = len(await chat.notices("dee"))
    await chat.ask("dee", "home")
    assert f"{run.ref} · waits for its time · incident" in await chat.notice("dee", "Recent decisions", after=before)
    await chat.ask("dee", f"stop {run.ref}")

    async def over() -> bool:
        return all(run.state in runs.FINAL for run in await world.runs("run incident"))

    await world.until(over)


@pytest.mark.parametrize("in_thread", [False, True], ids=["at the top", "in a thread"])
async def test_a_reaction_by_a_role_begins_a_workflow_once(world: World, chat: Chat, in_thread: bool) -> None:
    said = f"the shop is slow again, {chat.platform} {in_thread}"
    here = Spot(channel="general", root=await chat.say("ann", "good morning", GENERAL)) if in_thread else GENERAL
    message = await chat.say("ann", said, here)
    thread = Spot(channel="general", root=here.root or message)
    before = len(await world.runs("run incident"))
    await chat.react("dee", "✅", message, here)  # nobody waits for it
    await chat.react("bo", "🚨", message, here)  # not of the role
    await chat.react("dee", "🚨", message, here)
    form = await chat.answer(thread, f"Dee reports: {said}")
    await chat.react("dee", "🚨", message, here)  # taken off and put on again
    await world.quiet_but_for_runs()
    begun = await world.runs("run incident")
    assert len(begun) == before + 1
    assert not await world.events("✅")  # what nobody waits for is not stored
    assert not await world.events("white_check_mark")
    await chat.click("dee", form, "Answer…")
    await chat.dialog("dee")
    await chat.submit("dee", severity="low", lead="Dee")
    await chat.answer(thread, "Incident, severity low, led by Dee.")
    await chat.ask("dee", f"stop {max(begun, key=lambda run: run.created_at).ref}")


async def test_a_reaction_of_somebody_unknown_or_from_outside_begins_nothing(world: World, outside: Outside) -> None:
    message = await outside.say("ann", "slow once more", GENERAL)
    before = len(await world.runs("run incident"))
    for nobody in ("stranger", "guest", "robot"):
        await outside.react(outside.strangers[nobody], "🚨", message, GENERAL)
    await world.quiet_but_for_runs()
    assert len(await world.runs("run incident")) == before


async def test_the_rules_can_be_tested_and_questioned_in_the_chat(world: World, chat: Chat) -> None:
    spot = await chat.ask("ann", "rules explain finance: queue_payment payee=typed amount=1200 currency=EUR")
    said = await chat.answer(spot, "two people from finance have to agree")
    assert "2 of finance, not the requester" in said.text
    assert "large-payment" in said.text
    spot = await chat.ask("ann", "rules lint")
    await chat.answer(spot, "0 wrong")
    spot = await chat.ask("ann", "rules test")
    await chat.answer(spot, "tests, 0 failed")
    rule = "{id: silent, why: S., tool: queue_payment, decision: deny}"
    spot = await chat.ask("ann", f"rules backtest 7d\n```yaml\n{rule}\n```")
    await chat.answer(spot, "Newly denied", "calls of the last 7 days were decided again")
    spot = await chat.ask("ann", "rules replay")
    await chat.answer(spot, "bit for bit")


async def test_what_a_person_says_became_of_a_call_is_what_the_run_goes_on_from(
    world: World, everywhere: list[Chat], tmp_path: Path
) -> None:
    """The server of the tool dies in the middle of each call: whether it was done, only people can say."""
    path, agent = world.charter / "tools.yaml", world.charter / "agents" / "ops.md"
    good, instructions = path.read_text(), agent.read_text()
    called = tmp_path / "called"
    command = json.dumps(program("crash", str(called)))
    before = world.app.charter.digest
    try:
        path.write_text(f"{good}\nmcp: {{digger: {{command: {command}, tools: {{do_it: {{effect: write}}}}}}}}\n")
        agent.write_text(instructions.replace("tools: [", "tools: [digger_do_it, "))
        slack = everywhere[0]
        card = await slack.answer(OPERATORS, "Review 1 tool of the MCP server digger")
        await slack.click("dee", card, "Accept")
        await world.seen(lambda: world.app.tools.get("digger_do_it"))
        for number, chat in enumerate(everywhere):
            use = json.dumps({"what": f"hole {number}"})
            spot = await chat.ask("ann", f"ops: use digger_do_it {use}")
            asked = await chat.answer(spot, "It may have happened", "has to say what to do")
            assert asked.buttons[:3] == ("It was done…", "Repeat it", "Give up")
            await chat.click("eve", asked, "It was done…")
            await chat.notice("eve", "needs 1 of the requester")
            await chat.click("ann", asked, "It was done…")
            assert set(await chat.dialog("ann")) == {"reason"}
            await chat.submit("ann", reason=f"I looked: hole {number} is 2 m deep")
            said = await chat.answer(spot, "Done.", f"hole {number} is 2 m deep")
            assert "Ann has looked and says that it was done" in said.text
        await world.quiet()
        assert called.read_text().splitlines() == ["called"] * len(everywhere)
    finally:
        path.write_text(good)
        agent.write_text(instructions)

        async def restored() -> bool:
            return world.app.charter.digest == before

        await world.until(restored)


async def test_tools_of_a_new_mcp_server_are_reviewed_and_then_listed(
    world: World, slack: SlackChat, tmp_path: Path
) -> None:
    path = world.charter / "tools.yaml"
    agent = world.charter / "agents" / "ops.md"
    good, instructions = path.read_text(), agent.read_text()
    command = json.dumps(program("honest", str(tmp_path / "called")))
    before = world.app.charter.digest
    try:
        path.write_text(f"{good}\nmcp: {{crane: {{command: {command}, tools: {{do_it: {{effect: write}}}}}}}}\n")
        agent.write_text(instructions.replace("tools: [", "tools: [crane_do_it, "))
        card = await slack.answer(OPERATORS, "Review 1 tool of the MCP server crane", "Does it.")
        await slack.click("bo", card, "Accept")
        await slack.notice("bo", "admin decides which tools are used")
        spot = await slack.ask("ann", "tools ops")
        assert "Held until admin has accepted them: do_it of crane." in (await slack.answer(spot, "do_it")).text
        await slack.click("dee", card, "Accept")
        await slack.answer(OPERATORS, "Accepted by Dee")
        await world.seen(lambda: world.app.tools.get("crane_do_it"))
        spot = await slack.ask("ann", "tools ops")
        listed = (await slack.answer(spot, "crane_do_it", "write")).text
        assert "else asks: unknown-target" in listed.replace("`", "")
    finally:
        path.write_text(good)
        agent.write_text(instructions)

        async def restored() -> bool:
            return world.app.charter.digest == before

        await world.until(restored)
