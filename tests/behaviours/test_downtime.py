"""What happens while Bosun is away, or dies, is neither lost nor done twice."""

import sqlite3

import pytest

from tests.behaviours.chat import Chat, Said, Spot
from tests.behaviours.payments import ask_for_payment
from tests.behaviours.process import Process
from tests.behaviours.slack_chat import SlackChat
from tests.behaviours.team import SLACK_CHANNELS
from tests.behaviours.world import World
from tests.fakes.anthropic import Reply
from tests.fakes.slack import BOT

pytestmark = pytest.mark.asyncio(loop_scope="module")

GENERAL = SLACK_CHANNELS["general"]


async def _held_card(slack: SlackChat, world: World) -> tuple[Spot, Said]:
    async def look() -> tuple[Spot, Said] | None:
        for root in world.slack.world.channels[GENERAL].threads:
            spot = Spot(channel="general", root=root)
            for said in await slack.answers(spot):
                if "Run all" in said.buttons:
                    return spot, said
        return None

    return await world.until(look)


async def test_half_an_hour_offline(world: World, slack: SlackChat) -> None:
    """Two mentions and a command are found in the history: the old ones are held, the new one is answered."""
    asked = await ask_for_payment(slack)
    engaged = await slack.ask("ann", "before the outage")
    await slack.answer(engaged, "before the outage")
    await world.quiet()
    await world.stop()
    ann, bo = slack.user("ann"), slack.user("bo")
    old = world.slack.write(GENERAL, ann, f"<@{BOT}> an old question")["ts"]
    world.slack.write(GENERAL, bo, "chatter during the outage")
    world.slack.write(GENERAL, bo, f"approve {asked.ref}", asked.spot.root)
    world.clock.advance(minutes=30)
    fresh = world.slack.write(GENERAL, ann, f"<@{BOT}> a fresh question")["ts"]
    follow_up = world.slack.write(GENERAL, ann, "a fresh follow-up", engaged.root)["ts"]
    assert follow_up > fresh
    await world.start()
    await slack.answer(Spot(channel="general", root=fresh), "You said: a fresh question")
    await slack.answer(engaged, "You said: a fresh follow-up")
    _, card = await _held_card(slack, world)
    assert "1 request from while I was away" in card.text
    assert "an old question" in card.text
    await world.quiet()
    assert await world.runs("an old question") == []
    assert await world.paid(asked.reference) == []  # what acts is never run from the history
    assert await world.events("chatter during the outage") == []
    told = [*(said.text for said in await slack.answers(asked.spot)), *await slack.notices("bo")]
    assert any("I was offline when you said" in text for text in told)
    await slack.click("eve", card, "Run all")
    await slack.notice("eve", "Only somebody whose request is held")
    await slack.click("ann", card, "Run all")
    await slack.answer(Spot(channel="general", root=old), "You said: an old question")
    await slack.notice("ann", "1 taken up")
    await world.quiet()
    assert len(await world.runs("an old question")) == 1


async def test_old_requests_can_be_skipped(world: World, slack: SlackChat) -> None:
    await world.quiet()
    await world.stop()
    roots = [world.slack.write(GENERAL, slack.user("ann"), f"<@{BOT}> stale {n}")["ts"] for n in ("one", "two")]
    world.clock.advance(minutes=30)
    await world.start()
    await world.adapter.caught_up()
    await world.quiet()
    _, card = await _held_card(slack, world)
    assert "2 requests from while I was away" in card.text
    await slack.click("ann", card, "Skip")
    await slack.notice("ann", "2 skipped")
    await world.quiet()
    assert await world.runs("stale") == []
    spots = [Spot(channel="general", root=root) for root in roots]
    assert [said.buttons for spot in spots for said in await slack.answers(spot)] == [()]
    await world.restart()
    await world.adapter.caught_up()
    await world.quiet()
    assert await world.runs("stale") == []


async def test_what_cannot_be_stored_is_not_acknowledged_and_is_answered_once_later(
    world: World, slack: SlackChat
) -> None:
    sockets = world.slack.sockets
    patience, delays = sockets.ack_timeout, sockets.retry_delays
    sockets.ack_timeout, sockets.retry_delays = 0.2, (0.0, *(0.2,) * 40)
    other = sqlite3.connect(world.folder / "data" / "bosun.sqlite3", isolation_level=None)
    try:
        other.execute("BEGIN EXCLUSIVE")
        spot = await slack.ask("ann", "while the database is away")
        await world.seen(lambda: any(one.attempts > 1 for one in sockets.open.values()))
        assert not any(one.acknowledged for one in sockets.open.values())
    finally:
        other.execute("ROLLBACK")
        other.close()
        sockets.ack_timeout, sockets.retry_delays = patience, delays
    await slack.answer(spot, "while the database is away")
    await world.quiet()
    assert len(await world.runs("while the database is away")) == 1
    assert len(await slack.answers(spot)) == 1


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
