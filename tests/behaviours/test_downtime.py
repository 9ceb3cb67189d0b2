"""What happens while Bosun is away, or dies, is neither lost nor done twice."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator

import pytest

from tests.behaviours.chat import Chat, Said, Spot
from tests.behaviours.discord_chat import DiscordChat
from tests.behaviours.outside import Outside
from tests.behaviours.payments import ask_for_payment
from tests.behaviours.process import Process
from tests.behaviours.web_chat import WebChat
from tests.behaviours.world import World
from tests.fakes.anthropic import Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")

GENERAL = Spot(channel="general")


async def _held_card(outside: Outside, world: World, *spots: Spot) -> Said:
    async def look() -> Said | None:
        said = [one for spot in spots for one in await outside.answers(spot)]
        return next((one for one in said if "Run all" in one.buttons), None)

    return await world.until(look)


@pytest.mark.behaviour(25)
async def test_half_an_hour_offline(world: World, outside: Outside) -> None:
    """Two mentions and a command are found in the history: the old ones are held, the new one is answered."""
    asked = await ask_for_payment(outside)
    engaged = await outside.ask("ann", "before the outage")
    await outside.answer(engaged, "before the outage")
    await world.quiet()
    await world.stop()
    name = outside.platform
    old = Spot(channel="general", root=outside.meanwhile("ann", f"@bosun an old question on {name}", GENERAL))
    outside.meanwhile("bo", "chatter during the outage", GENERAL)
    outside.meanwhile("bo", f"approve {asked.ref}", asked.spot)
    world.clock.advance(minutes=30)
    fresh = Spot(channel="general", root=outside.meanwhile("ann", "@bosun a fresh question", GENERAL))
    outside.meanwhile("ann", "a fresh follow-up", engaged)
    await world.start()
    await outside.answer(fresh, "You said: a fresh question")
    await outside.answer(engaged, "You said: a fresh follow-up")
    card = await _held_card(outside, world, old)
    assert "1 request from while I was away" in card.text
    assert "an old question" in card.text
    await world.quiet()
    assert await world.runs(f"an old question on {name}") == []
    assert await world.paid(asked.reference) == []  # what acts is never run from the history
    assert await world.events("chatter during the outage") == []
    told = [*(said.text for said in await outside.answers(asked.spot)), *await outside.notices("bo")]
    assert any("I was offline when you said" in text for text in told)
    await outside.click("eve", card, "Run all")
    await outside.notice("eve", "Only somebody whose request is held")
    await outside.click("ann", card, "Run all")
    await outside.answer(old, "You said: an old question")
    await outside.notice("ann", "1 taken up")
    await world.quiet()
    assert len(await world.runs(f"an old question on {name}")) == 1


@pytest.mark.behaviour(25)
async def test_old_requests_can_be_skipped(world: World, outside: Outside) -> None:
    await outside.answer(await outside.ask("ann", "are you here?"), "are you here?")  # so that the channel is known
    await world.quiet()
    await world.stop()
    spots = [
        Spot(channel="general", root=outside.meanwhile("ann", f"@bosun stale {n}", GENERAL)) for n in ("one", "two")
    ]
    world.clock.advance(minutes=30)
    await world.start()
    await outside.caught_up()
    await world.quiet()
    card = await _held_card(outside, world, *spots)
    assert "2 requests from while I was away" in card.text
    await outside.click("ann", card, "Skip")
    await outside.notice("ann", "2 skipped")
    await world.quiet()
    assert await world.runs("stale") == []
    assert [said.buttons for spot in spots for said in await outside.answers(spot)] == [()]
    await world.restart()
    await outside.caught_up()
    await world.quiet()
    assert await world.runs("stale") == []


@pytest.mark.behaviour(26)
async def test_a_mention_that_was_edited_in_is_not_answered_after_a_restart_either(
    world: World, outside: Outside
) -> None:
    ts = await outside.say("ann", "count the medlars", GENERAL)
    await outside.edit(ts, f"@bosun count the medlars on {outside.platform}", GENERAL)
    await outside.notice("ann", "Mention me in a new message")
    await world.quiet()
    await world.restart()
    await outside.caught_up()
    await world.quiet()
    assert await world.runs(f"medlars on {outside.platform}") == []


@pytest.mark.behaviour(4)
async def test_what_cannot_be_stored_is_not_acknowledged_and_is_answered_once_later(
    world: World, everywhere: list[Chat]
) -> None:
    """On every platform at once. Bosun may be killed while its database is away; it comes back with the database."""
    words, kills = "while the database is away", world.kills
    sockets = world.slack.sockets
    patience, delays = sockets.ack_timeout, sockets.retry_delays
    sockets.ack_timeout, sockets.retry_delays = 0.2, (0.0, *(0.2,) * 40)
    other = sqlite3.connect(world.folder / "data" / "bosun.sqlite3", isolation_level=None)
    try:
        other.execute("BEGIN EXCLUSIVE")
        asking = [asyncio.create_task(chat.ask("ann", f"{words} on {chat.platform}")) for chat in everywhere]
        await world.seen(lambda: any(one.attempts > 1 for one in sockets.open.values()) or world.kills > kills)
        assert not any(one.acknowledged for one in sockets.open.values())
        assert await world.events(words) == []
    finally:
        other.execute("ROLLBACK")
        other.close()
        sockets.ack_timeout, sockets.retry_delays = patience, delays
    spots = await asyncio.gather(*asking)
    for chat, spot in zip(everywhere, spots, strict=True):
        await chat.answer(spot, f"{words} on {chat.platform}")
    await world.quiet()
    for chat, spot in zip(everywhere, spots, strict=True):
        assert len(await world.runs(f"{words} on {chat.platform}")) == 1
        assert len(await chat.answers(spot)) == 1


@contextlib.contextmanager
def nothing_can_be_stored(world: World) -> Iterator[None]:
    """The database refuses every event."""
    other = sqlite3.connect(world.folder / "data" / "bosun.sqlite3", isolation_level=None, timeout=30)
    other.execute("PRAGMA legacy_alter_table = ON")
    try:
        other.execute("ALTER TABLE inbox RENAME TO inbox_that_is_away")
        yield
    finally:
        other.execute("ALTER TABLE inbox_that_is_away RENAME TO inbox")
        other.close()


@pytest.mark.behaviour(4)
async def test_what_cannot_be_stored_is_read_from_the_history_and_answered_once_later(
    world: World, discord: DiscordChat
) -> None:
    world.not_rough("here the database is what fails")
    await world.tune("read_again_after", 0.05)
    with nothing_can_be_stored(world):
        before = world.discord.counts["history"]
        spot = await discord.ask("ann", "while Discord cannot be heard")
        await world.seen(lambda: world.discord.counts["history"] > before)
    await discord.answer(spot, "You said: while Discord cannot be heard")
    await world.quiet()
    assert len(await world.runs("while Discord cannot be heard")) == 1
    assert len(await discord.answers(spot)) == 1


@pytest.mark.behaviour(4)
async def test_what_cannot_be_stored_is_sent_again_by_the_page_and_answered_once_later(
    world: World, web: WebChat
) -> None:
    world.not_rough("here the database is what fails")
    browser = web.browser("ann")
    await browser.connect()
    spot = Spot(channel="general", root="sent-while-it-is-away")
    message: dict[str, object] = {
        "id": spot.root,
        "channel": "general",
        "thread": None,
        "text": "@bosun hear me",
        "files": [],
    }
    with nothing_can_be_stored(world):
        refused = await browser.http.post("/api/messages", json=message)
    assert refused.status_code == 503, refused.text
    await browser.post("/api/messages", message)
    await web.answer(spot, "You said: hear me")
    await world.quiet()
    assert len(await world.runs("hear me")) == 1
    assert len(await web.answers(spot)) == 1


@pytest.mark.behaviour(5)
async def test_a_process_that_is_killed_after_the_acknowledgement_answers_after_it_is_started_again(
    world: World, everywhere: list[Chat]
) -> None:
    """On every platform in the same process, because starting one takes seconds."""
    await world.quiet()
    await world.stop()
    process, spots = Process(world), []
    try:
        await process.start()
        world.app = process.stand_in
        for chat in everywhere:
            world.model.queue(Reply("Never to be finished.", hold_after=2))
            spots.append(await chat.ask("ann", f"survive me on {chat.platform}"))
            await world.held()
            world.model.holding.clear()
        await process.kill()
    finally:
        await process.kill()
    world.model.forget()
    await world.start()
    for chat, spot in zip(everywhere, spots, strict=True):
        await chat.answer(spot, "You said: survive me")
    await world.quiet()
    for chat, spot in zip(everywhere, spots, strict=True):
        assert len(await chat.answers(spot)) == 1
        assert len(await world.runs(f"survive me on {chat.platform}")) == 1
