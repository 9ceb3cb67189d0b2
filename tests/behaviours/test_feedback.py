"""Two thumbs below an answer: who may press them, what is kept of it, and what nobody can spoil."""

import asyncio
import re

import pytest

from kernel.store import Session, feedback, outbox, runs
from tests.behaviours.accounts import link_stranger_to_bo
from tests.behaviours.chat import Chat, Said, Spot
from tests.behaviours.discord_chat import DiscordChat
from tests.behaviours.outside import Outside
from tests.behaviours.slack_chat import SlackChat
from tests.behaviours.team import DISCORD_STRANGER, SLACK_CHANNELS
from tests.behaviours.web_chat import WebChat
from tests.behaviours.world import World
from tests.fakes.anthropic import Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")

THUMBS, CHANNEL = ("Helpful", "Not helpful"), SLACK_CHANNELS["general"]


async def answered(chat: Chat, question: str, person: str = "ann") -> tuple[Said, str]:
    """Have a question answered; the answer, and the reference of its run."""
    said = await chat.answer(await chat.ask(person, question), f"You said: {question}")
    (run,) = [run for run in await chat.world.runs(question) if run.where.platform == chat.platform]
    return said, run.ref


async def noted(world: World, ref: str) -> list[tuple[str, bool, str]]:
    """(person, whether it helped them, why not) of what is kept about an answer."""
    rows = await world.app.store.read(lambda session: feedback.of_refs(session, [ref]))
    return [(said.person, said.helpful, said.reason) for _, said in rows]


async def becomes(world: World, ref: str, *wanted: tuple[str, bool, str]) -> None:
    """Wait until exactly this is kept about an answer."""

    async def look() -> bool:
        return await noted(world, ref) == list(wanted)

    try:
        await world.until(look)
    except TimeoutError:
        raise AssertionError(f"kept is {await noted(world, ref)}") from None


@pytest.mark.behaviour(34)
async def test_of_each_person_the_last_word_about_an_answer_counts(world: World, chat: Chat) -> None:
    said, ref = await answered(chat, f"does it help on {chat.platform}?")
    assert said.buttons == THUMBS
    await chat.click("ann", said, "Helpful")
    await becomes(world, ref, ("ann", True, ""))
    await chat.click("ann", said, "Not helpful")
    assert await chat.dialog("ann") == {"reason": ""}
    await becomes(world, ref, ("ann", False, ""))  # also where the dialog is put away
    await chat.submit("ann", reason="  It says 30 days, and it is 14.  ")
    await becomes(world, ref, ("ann", False, "It says 30 days, and it is 14."))
    await chat.click("bo", said, "Helpful")
    await becomes(world, ref, ("ann", False, "It says 30 days, and it is 14."), ("bo", True, ""))
    await chat.click("ann", said, "Not helpful")
    assert await chat.dialog("ann") == {"reason": "It says 30 days, and it is 14."}
    await chat.submit("ann", reason="")
    await becomes(world, ref, ("bo", True, ""), ("ann", False, ""))
    await chat.click("ann", said, "Helpful")
    await becomes(world, ref, ("bo", True, ""), ("ann", True, ""))


@pytest.mark.behaviour(34)
async def test_thumbs_and_an_open_dialog_from_before_a_restart_still_count(
    world: World, everywhere: list[Chat]
) -> None:
    said = [await answered(chat, f"will it be there on {chat.platform}?") for chat in everywhere]
    for chat, (message, _) in zip(everywhere, said, strict=True):
        await chat.click("cy", message, "Not helpful")
        await chat.dialog("cy")
    await world.quiet()
    await world.restart()
    for chat, (message, ref) in zip(everywhere, said, strict=True):
        await chat.submit("cy", reason="too short")
        await chat.click("bo", message, "Helpful")
        await becomes(world, ref, ("cy", False, "too short"), ("bo", True, ""))


@pytest.mark.behaviour(34)
async def test_presses_in_the_same_instant_are_one_word(world: World, chat: Chat) -> None:
    said, ref = await answered(chat, f"once more on {chat.platform}")
    await asyncio.gather(*(chat.click(person, said, "Helpful") for person in ("ann", "bo", "ann", "ann", "bo")))
    await world.quiet()
    assert sorted(await noted(world, ref)) == [("ann", True, ""), ("bo", True, "")]


@pytest.mark.behaviour(34)
async def test_only_answers_have_thumbs(world: World, chat: Chat) -> None:
    world.model.queue(Reply(stop="refusal", detail="not today"))
    refused = await chat.answer(await chat.ask("ann", "something refused"), "could not finish this")
    told = await chat.answer(await chat.ask("ann", "status"), "Nothing is running")
    assert not {*refused.buttons, *told.buttons} & {*THUMBS}


@pytest.mark.behaviour(34)
async def test_a_reason_that_no_dialog_lets_through_is_not_kept(world: World, web: WebChat) -> None:
    said, ref = await answered(web, "how long may it be?")
    await web.click("ann", said, "Not helpful")
    assert set(await web.dialog("ann")) == {"reason"}
    before = len(await web.notices("ann"))
    await web.submit("ann", reason="x" * 1001)
    await web.notice("ann", "at most 1000 characters", after=before)
    assert await noted(world, ref) == [("ann", False, "")]
    await web.click("ann", said, "Not helpful")
    await web.dialog("ann")
    await web.submit("ann", reason="a\x00b")
    await becomes(world, ref, ("ann", False, "a\ufffdb"))


@pytest.mark.behaviour(34)
async def test_what_somebody_has_made_up_or_cannot_read_is_not_kept(world: World, web: WebChat) -> None:
    said, ref = await answered(web, "what is forged?")
    home = web.home("bo")
    root = await web.say("bo", "nobody else reads this", home)
    await web.answer(Spot(channel=home.channel, root=root), "You said: nobody else", reader="bo")
    (private,) = await world.runs("nobody else reads this")
    elsewhere = {"subject": f"FB-{private.ref}", "revision": 0, "verb": "helpful"}
    unknown = {"subject": "FB-R-0000", "revision": 0, "verb": "unhelpful"}
    for made_up in (elsewhere, unknown):
        forged = Said(id=said.id, by="bosun", text="", raw={"buttons": [{**made_up, "label": "Helpful"}]})
        before = len(await web.notices("ann"))
        await web.click("ann", forged, "Helpful")
        await web.notice("ann", "no such answer", after=before)
    stale = {"subject": f"FB-{ref}", "revision": 0, "verb": "love", "label": "Helpful"}
    before = len(await web.notices("ann"))
    await web.click("ann", Said(id=said.id, by="bosun", text="", raw={"buttons": [stale]}), "Helpful")
    await web.notice("ann", "out of date", after=before)
    assert await noted(world, ref) == await noted(world, private.ref) == []


@pytest.mark.behaviour(34)
async def test_an_answer_whose_run_is_gone_takes_no_word(world: World, outside: Outside) -> None:
    said, ref = await answered(outside, f"who remembers on {outside.platform}?")

    def forget(session: Session) -> None:
        run = runs.by_ref(session, ref)
        assert run is not None
        session.delete(run)

    await world.app.store.write(forget)
    await outside.click("ann", said, "Not helpful")
    await outside.notice("ann", "no such answer")
    assert await noted(world, ref) == []


@pytest.mark.behaviour(34)
async def test_somebody_from_outside_is_told_and_nothing_is_kept(world: World, slack: SlackChat) -> None:
    said, ref = await answered(slack, "what do guests think?")
    outsider = slack.strangers["outsider"]
    await slack.click(outsider, said, "Helpful")
    await slack.notice(outsider, "Only members")
    assert await noted(world, ref) == []
    stranger = slack.strangers["stranger"]  # of this workspace, in no file
    await slack.click(stranger, said, "Helpful")
    await slack.notice(stranger, "it helped you")
    assert len(await noted(world, ref)) == 1


@pytest.mark.behaviour(34)
async def test_what_was_said_can_be_taken_back(world: World, chat: Chat) -> None:
    said, ref = await answered(chat, f"take it back on {chat.platform}")
    await chat.click("ann", said, "Helpful")
    await becomes(world, ref, ("ann", True, ""))
    if isinstance(chat, WebChat):
        (shown,) = [one for one in said.raw["buttons"] if one["label"] == "Helpful"]
        assert await chat.votes("ann", Spot(channel="general", root=said.raw["thread"])) == ["helpful"]
        again = Said(id=said.id, by="bosun", text="", raw={"buttons": [{**shown, "verb": "withdraw"}]})
        await chat.click("ann", again, "Helpful")  # as the page does with the one that is pressed
    else:
        await chat.click("ann", await world.seen(lambda: own_notice(chat, "ann", ref)), "Take it back")
    await becomes(world, ref)


def own_notice(chat: Chat, person: str, ref: str) -> Said | None:
    """What only this person was shown with a button about an answer."""
    if isinstance(chat, SlackChat):
        shown = [one for one in chat.world.slack.ephemerals_for(chat.user(person)) if f"FB-{ref}" in str(one)]
        return Said(id=shown[-1]["ts"], by="bosun", text="", raw={**shown[-1], "where": CHANNEL}) if shown else None
    assert isinstance(chat, DiscordChat)
    alone = [one for one in chat.discord.interactions.ephemerals if one["to"] == chat.user(person)]
    mine = [one for one in alone if f"FB-{ref}" in str(one["components"])]
    return Said(id=mine[-1]["id"], by="bosun", text="", raw=mine[-1]) if mine else None


@pytest.mark.behaviour(15, 34)
async def test_a_human_with_two_accounts_has_one_word(world: World, web: WebChat, discord: DiscordChat) -> None:
    said, ref = await answered(discord, "one word for each human")
    await discord.click(DISCORD_STRANGER, said, "Helpful")
    await discord.notice(DISCORD_STRANGER, "it helped you")
    ((before, _, _),) = await noted(world, ref)
    assert DISCORD_STRANGER in before
    await link_stranger_to_bo(web, discord)
    await discord.click("bo", said, "Not helpful")
    await discord.dialog("bo")
    await becomes(world, ref, ("bo", False, ""))
    await web.command("bo", "/unlink", Spot(channel="general"))
    await web.notice("bo", "Unlinked: Stan on Discord")


async def test_reasons_are_read_by_who_can_read_the_conversation_and_counts_by_all(world: World, chat: Chat) -> None:
    open_, _ = await answered(chat, f"what is read on {chat.platform}?")
    home = chat.home("eve")
    root = await chat.say("eve", "between us", home)
    private = await chat.answer(Spot(channel=home.channel, root=root), "You said: between us", reader="eve")
    for person, message, reason in (("bo", open_, "it is out of date"), ("eve", private, "my secret reason")):
        await chat.click(person, message, "Not helpful")
        await chat.dialog(person)
        await chat.submit(person, reason=reason)
    await world.quiet()
    before = len(await chat.notices("dee"))
    await chat.say("dee", "@bosun feedback 7 days", Spot(channel="general"))
    told = await chat.notice("dee", "say that the answer helped", "What did not help", after=before)
    assert "it is out of date" in told
    assert not isinstance(chat, WebChat) or open_.raw["thread"] in str(await chat.browser("dee").get("/api/boot"))
    assert "more did not help where you cannot read" in told
    assert not any(words in told for words in ("between us", "my secret reason"))
    before = len(await chat.notices("eve"))
    await chat.say("eve", "@bosun feedback", Spot(channel="general"))
    assert "my secret reason" in await chat.notice("eve", "What did not help", after=before)


@pytest.mark.behaviour(24, 34)
async def test_the_dashboard_says_how_many_answers_of_an_agent_helped(world: World, web: WebChat) -> None:
    said, ref = await answered(web, "is it on the dashboard?")
    await web.click("ann", said, "Helpful")
    await becomes(world, ref, ("ann", True, ""))
    page = await web.browser("bo").get("/api/home")
    (lead,) = [one for one in page["agents"] if one["name"] == "Lead"]
    assert re.fullmatch(r"helped: [0-9]+ of [0-9]+ opinions? in 30 days", lead["rights"][-1])
    assert page["footer"] == "What agents say is AI-generated."


@pytest.mark.behaviour(34)
async def test_the_thumbs_stand_below_the_last_part_of_a_long_answer(world: World, discord: DiscordChat) -> None:
    world.model.queue(Reply("\n\n".join(f"Paragraph {number}. {'words ' * 60}" for number in range(10))))
    spot = await discord.ask("ann", "at length, please")
    await discord.answer(spot, "Paragraph 9.")
    await world.quiet()
    parts = await discord.answers(spot)
    assert len(parts) > 1
    assert [part.buttons for part in parts] == [()] * (len(parts) - 1) + [THUMBS]
    await discord.click("bo", parts[-1], "Helpful")
    (run,) = [run for run in await world.runs("at length, please") if run.where.platform == "discord"]
    await becomes(world, run.ref, ("bo", True, ""))
    shown = await world.app.store.read(lambda session: session.get(outbox.OutboxRow, run.progress_id))
    assert shown is not None
    assert shown.remote_id == parts[0].id
