"""A request gets one answer, where it was made; what is not meant for Bosun leaves no trace."""

import hashlib

import pytest
import yaml
from sqlmodel import col, select

from kernel.store import Session, inbox, outbox
from tests.behaviours.chat import Chat, Spot
from tests.behaviours.outside import Outside
from tests.behaviours.slack_chat import SlackChat
from tests.behaviours.team import ROBOT, SLACK_CHANNELS
from tests.behaviours.web_chat import WebChat
from tests.behaviours.world import World
from tests.fakes.anthropic import Reply
from tests.fakes.slack import BOT

pytestmark = pytest.mark.asyncio(loop_scope="module")

GENERAL = Spot(channel="general")
C0GENERAL = SLACK_CHANNELS["general"]


@pytest.mark.behaviour(1)
async def test_a_mention_gets_one_answer_in_its_thread_and_a_sign_before(world: World, chat: Chat) -> None:
    before = len(await chat.answers(GENERAL))
    world.model.queue(Reply("Good morning.", hold_after=2))
    spot = await chat.ask("ann", "hello there")

    async def noticed() -> bool:
        return "eyes" in await chat.reactions(spot)

    await world.until(noticed)
    assert await chat.answers(spot) == []
    world.model.release()
    await chat.answer(spot, "Good morning.")
    await world.quiet()
    assert len(await chat.answers(spot)) == 1
    assert len(await chat.answers(GENERAL)) == before


@pytest.mark.behaviour(1)
async def test_a_thread_shows_that_bosun_works_in_it_and_that_it_is_done(world: World, chat: Chat) -> None:
    world.model.queue(Reply("Here.", hold_after=2))
    spot = await chat.ask("ann", "are you there?")
    await chat.shows(spot, "processing")
    world.model.release()
    await chat.answer(spot, "Here.")
    await chat.shows(spot, "active")


async def test_an_answer_says_which_agent_gave_it_and_the_first_one_that_it_is_made_by_a_model(chat: Chat) -> None:
    spot = await chat.ask("ann", "writer: shorten this")
    first = await chat.answer(spot, "You said: shorten this")
    assert "AI-generated · Writer" in first.text
    await chat.say("ann", "and this", spot)
    second = await chat.answer(spot, "You said: and this")
    assert "AI-generated" not in second.text


async def test_the_lead_hands_on_to_a_specialist(world: World, chat: Chat) -> None:
    world.model.queue(Reply(calls=[("ask_agent", {"agent": "research", "task": "Find it out."})]), Reply("Found it."))
    spot = await chat.ask("ann", "how long do refunds take?")
    assert "AI-generated · Research" in (await chat.answer(spot, "Found it.")).text


async def test_an_answer_carries_the_numbered_sources_that_it_cites(world: World, chat: Chat) -> None:
    await world.indexed()
    world.model.queue(
        Reply(calls=[("search_knowledge", {"query": "How long do refunds take?"})]), Reply("It takes days [1].")
    )
    spot = await chat.ask("ann", "research: how long do refunds take?")
    said = await chat.answer(spot, "It takes days")
    shown = said.raw["sources"] if chat.platform == "web" else said.text
    assert "Refunds" in str(shown)
    assert "/documents/" in str(shown) or "/documents/" in str(said.raw)


async def test_a_table_that_is_small_enough_to_be_shown_comes_as_csv_where_that_is_asked(
    world: World, chat: Chat
) -> None:
    world.model.queue(Reply("So it stands:\n\n| who | owes |\n|---|---|\n| ACME | 12,50 |\n| =Evil() | 1 |"))
    spot = await chat.ask("ann", "who owes what?")
    await chat.answer(spot, "So it stands")
    await chat.say("ann", "csv", spot)
    await chat.answer(spot, "The table of R-", "as CSV")
    name = f"table-{hashlib.sha256(CSV.encode()).hexdigest()[:12]}.csv"

    async def there() -> bool:
        return any(name in str(said.raw) for said in await chat.read(spot))

    await world.until(there)
    assert await contents(world, name) == [CSV]
    other = await chat.ask("ann", "no table here")
    await chat.answer(other, "no table here")
    await chat.say("ann", "csv", other)
    await chat.answer(other, "has no table")


CSV = """who,owes
ACME,"12,50"
'=Evil(),1
"""


async def contents(world: World, name: str) -> list[str]:
    """What stands in the newest file of this name that was handed to a platform."""
    rows = await world.app.store.read(
        lambda session: session.exec(
            select(outbox.OutboxRow)
            .where(outbox.OutboxRow.kind == outbox.FILE)
            .order_by(col(outbox.OutboxRow.created_at))
        ).all()
    )
    return [outbox.file_content(row.extra).decode() for row in rows if row.extra and row.extra["name"] == name][-1:]


# -- one event is one request -------------------------------------------------------------------------------------


@pytest.mark.behaviour(2, 3)
async def test_a_message_that_is_delivered_again_and_again_is_answered_once(world: World, outside: Outside) -> None:
    asked = f"tell me once in {outside.platform}"  # other platforms are asked in the same world
    spot = await outside.ask("ann", asked)
    assert await outside.again(spot)
    assert await outside.again(spot)
    await outside.answer(spot, f"You said: {asked}")
    await world.quiet()
    await world.restart()
    assert await outside.again(spot)
    await world.quiet()
    assert len(await world.runs(asked)) == 1
    assert len(await outside.answers(spot)) == 1


@pytest.mark.behaviour(2, 3)
async def test_a_message_that_the_browser_sends_again_is_answered_once(world: World, web: WebChat) -> None:
    browser = web.browser("ann")
    body = {"id": "sent-three-times-over", "channel": "general", "text": "@bosun tell me once more"}
    for _ in range(3):
        await browser.post("/api/messages", body)
    spot = Spot(channel="general", root="sent-three-times-over")
    await web.answer(spot, "once more")
    await world.quiet()
    await world.restart()
    await browser.post("/api/messages", body)
    await world.quiet()
    assert len(await world.runs("tell me once more")) == 1
    assert len(await web.answers(spot)) == 1


@pytest.mark.behaviour(26)
async def test_an_edit_during_the_work_starts_nothing_and_says_which_text_counts(
    world: World, outside: Outside
) -> None:
    world.model.queue(Reply("As you said first.", hold_after=2))
    spot = await outside.ask("ann", "count the apples")
    await world.held()
    await outside.edit(spot.root, "@bosun count the pears", spot)
    await outside.notice("ann", "working from the text before your edit")
    world.model.release()
    await outside.answer(spot, "As you said first.")
    await world.quiet()
    assert len(await outside.answers(spot)) == 1
    assert await world.runs("count the pears") == []


@pytest.mark.behaviour(26)
async def test_an_edit_after_the_answer_starts_nothing(world: World, outside: Outside) -> None:
    spot = await outside.ask("ann", "count the plums")
    await outside.answer(spot, "count the plums")
    await outside.edit(spot.root, "@bosun count the cherries", spot)
    await world.quiet()
    assert len(await outside.answers(spot)) == 1
    assert await world.runs("count the cherries") == []


async def test_a_mention_that_is_edited_in_is_told_how_to_ask(world: World, outside: Outside) -> None:
    ts = await outside.say("ann", "count the figs", GENERAL)
    await outside.edit(ts, "@bosun count the figs", GENERAL)
    await outside.notice("ann", "Mention me in a new message")
    await world.quiet()
    assert await world.runs("figs") == []


# -- what is meant for Bosun --------------------------------------------------------------------------------------


@pytest.mark.behaviour(6)
async def test_a_follow_up_in_the_thread_needs_no_mention(chat: Chat) -> None:
    spot = await chat.ask("ann", "first question")
    await chat.answer(spot, "You said: first question")
    await chat.say("bo", "second question", spot)
    await chat.answer(spot, "You said: second question")


async def test_in_a_channel_of_mentions_alone_a_follow_up_needs_one_too(world: World, chat: Chat) -> None:
    path = world.charter / "bosun.yaml"
    good = path.read_text()
    team = yaml.safe_load(good)
    team["channels"]["#finance"]["mention_only"] = True
    try:
        path.write_text(yaml.safe_dump(team, sort_keys=False))
        await world.app.keeper.look()
        said = f"somebody else may know on {chat.platform}"
        spot = await chat.ask("bo", "who knows?", "finance")
        await chat.answer(spot, "You said: who knows?")
        await chat.say("bo", said, spot)
        await chat.say("bo", "@bosun and you?", spot)
        await chat.answer(spot, "You said: and you?")
        assert await world.runs(said) == []
    finally:
        path.write_text(good)
        await world.app.keeper.look()


async def test_a_follow_up_knows_what_was_said_before(world: World, chat: Chat) -> None:
    spot = await chat.ask("ann", "the code word is heron")
    await chat.answer(spot, "heron")
    await chat.say("ann", "what was it?", spot)
    await chat.answer(spot, "what was it?")
    assert "heron" in str(world.model.requests[-1]["messages"])


@pytest.mark.behaviour(6)
async def test_a_follow_up_that_opens_with_another_person_is_left_alone(world: World, chat: Chat) -> None:
    spot = await chat.ask("ann", "a question to start with")
    await chat.answer(spot, "a question to start with")
    await chat.say("ann", "@bo what do you think of it?", spot)
    await world.quiet()
    assert len(await chat.answers(spot)) == 1
    assert await world.runs("what do you think of it") == []


@pytest.mark.behaviour(6)
async def test_chatter_is_neither_answered_nor_stored(world: World, chat: Chat) -> None:
    ts = await chat.say("ann", "lunch at twelve?", GENERAL)
    await chat.say("bo", "one is better, lunch takes long", Spot(channel="general", root=ts))
    await world.quiet()
    assert await world.events("lunch") == []
    assert await world.runs("lunch") == []


async def test_what_was_said_in_a_thread_before_is_read_when_somebody_mentions_bosun_there(
    world: World, chat: Chat
) -> None:
    ts = await chat.say("ann", "the boiler leaks", GENERAL)
    thread = Spot(channel="general", root=ts)
    await chat.say("bo", "since monday", thread)
    await chat.say("cy", "@bosun who repairs it?", thread)
    await chat.answer(thread, "who repairs it?")
    seen = str(world.model.requests[-1]["messages"])
    assert "the boiler leaks" in seen
    assert "since monday" in seen


@pytest.mark.behaviour(7)
async def test_other_bots_and_bosun_itself_are_left_alone(world: World, slack: SlackChat) -> None:
    for user, more in ((ROBOT, {"bot_id": "B0ROBOT"}), (BOT, {"bot_id": "B0BOSUN"}), ("USLACKBOT", {})):
        await world.slack.say(C0GENERAL, user, f"<@{BOT}> ping from {user}", **more)
    spot = await slack.ask("ann", "a human asks")
    said = await slack.answer(spot, "a human asks")
    own = world.slack.world.channels[C0GENERAL].messages[said.id]
    before = dict(own)
    changed = {"type": "message", "subtype": "message_changed", "channel": C0GENERAL, "channel_type": "channel"}
    await world.slack.event({**changed, "ts": "9.9", "message": {**own, "text": "x"}, "previous_message": before})
    await world.quiet()
    assert await world.runs("ping from") == []
    assert await world.events("ping from") == []
    assert len(await slack.answers(spot)) == 1


@pytest.mark.behaviour(7)
async def test_a_bot_that_the_charter_allows_is_answered_when_it_mentions_bosun_and_never_without_end(
    world: World, outside: Outside
) -> None:
    helper, name = outside.strangers["helper"], outside.platform
    await world.tune("bot_pair_budget", 2)
    spots = [await outside.ask(helper, f"a bot asks on {name}, time {number}") for number in range(3)]
    for spot in spots[:2]:
        await outside.answer(spot, f"a bot asks on {name}")
    await outside.say(helper, f"and without a mention on {name}", spots[0])
    await world.quiet()
    assert len(await world.runs(f"a bot asks on {name}")) == 2
    assert [len(await outside.answers(spot)) for spot in spots] == [1, 1, 0]
    assert await world.events(f"without a mention on {name}") == []


async def test_whoever_asks_without_end_is_told_to_wait_and_keeps_nobody_else_waiting(world: World, chat: Chat) -> None:
    world.clock.advance(minutes=2)
    await world.tune("requests_per_minute", 2)
    before = len(await chat.notices("gil"))
    spots = [await chat.ask("gil", f"an urgent thing, number {number} on {chat.platform}") for number in range(4)]
    await chat.answer(await chat.ask("cy", "just one thing"), "You said: just one thing")
    await chat.notice("gil", "more than 2 requests within a minute", after=before)
    await world.quiet()
    assert [len(await chat.answers(spot)) for spot in spots] == [1, 1, 0, 0]
    assert len(await chat.notices("gil")) == before + 1
    await chat.ask("gil", "status")
    world.clock.advance(seconds=61)
    await chat.answer(await chat.ask("gil", "in my turn"), "You said: in my turn")


async def test_a_colleague_whom_the_charter_does_not_know_may_ask(outside: Outside) -> None:
    spot = await outside.ask(outside.strangers["stranger"], "may I ask?")
    await outside.answer(spot, "may I ask?")


async def test_somebody_from_outside_is_told_once_and_in_private_that_bosun_works_for_members(
    world: World, outside: Outside
) -> None:
    outsider = outside.strangers["outsider"]
    for number in range(2):
        await outside.ask_from_outside(f"let me in, number {number}")
    await outside.notice(outsider, "only work for members")
    await world.quiet()
    assert len(await outside.notices(outsider)) == 1
    assert await world.runs("let me in") == []


# -- several messages ---------------------------------------------------------------------------------------------


async def test_what_is_said_during_the_work_is_answered_together_afterwards_and_noted_once(
    world: World, chat: Chat
) -> None:
    world.model.queue(Reply("The first answer.", hold_after=2))
    spot = await chat.ask("ann", "the first thing")
    await world.held()
    await chat.say("ann", "the second thing", spot)
    await chat.say("ann", "the third thing", spot)
    await chat.notice("ann", "take this next")
    await world.until(lambda: _waiting(world, "the second thing"))
    await world.until(lambda: _waiting(world, "the third thing"))
    world.model.release()
    both = await chat.answer(spot, "the second thing", "the third thing")
    await world.quiet()
    assert [said.text.startswith("The first answer.") or said.id == both.id for said in await chat.answers(spot)]
    assert len(await chat.answers(spot)) == 2
    assert sum("take this next" in text for text in await chat.notices("ann")) == 1


async def test_what_still_waits_goes_before_what_is_said_next(world: World, chat: Chat) -> None:
    spot = await chat.ask("ann", f"open this thread on {chat.platform}")
    await chat.answer(spot, "open this thread")
    await world.quiet()
    opening = (await world.events(f"open this thread on {chat.platform}"))[0]
    left = opening.inbound.model_copy(
        update={"key": f"left-{opening.key}", "message": None, "text": "the thing that was left"}
    )

    def leave(session: Session) -> None:  # as a process does that dies after the end of a run
        inbox.accept(session, left, f"left-{chat.platform}", opening.received_at)
        inbox.settle(session, f"left-{chat.platform}", inbox.WAITING, conversation_id=opening.conversation_id)

    await world.app.store.write(leave)
    await chat.say("ann", "the thing after it", spot)
    both = await chat.answer(spot, "the thing that was left", "the thing after it")
    assert both.text.index("left") < both.text.index("after it")


async def test_what_two_people_say_during_the_work_is_answered_to_each(world: World, chat: Chat) -> None:
    world.model.queue(Reply("The first is done.", hold_after=2))
    spot = await chat.ask("ann", "begin with this")
    await world.held()
    await chat.say("ann", "the wish of ann", spot)
    await world.until(lambda: _waiting(world, "the wish of ann"))
    await chat.say("bo", "the wish of bo", spot)
    await world.until(lambda: _waiting(world, "the wish of bo"))
    world.model.release()
    await chat.answer(spot, "You said: the wish of ann")
    await chat.answer(spot, "You said: the wish of bo")
    assert [run.requester for run in await world.runs("the wish of")][-2:] == ["ann", "bo"]


@pytest.mark.behaviour(8, 10)
async def test_work_that_lasts_is_shown_and_its_button_stops_it(world: World, chat: Chat) -> None:
    await world.tune("time_to_progress", chat.platform, 0.05)
    world.model.queue(Reply("The beginning, and the rest", pieces=2, hold_after=4))
    spot = await chat.ask("ann", "take your time")
    shown = await chat.answer(spot, "is working on it", "The beginning")
    assert "Stop" in shown.buttons
    await chat.click("eve", shown, "Stop")
    await chat.notice("eve", "Only the person who began")
    await chat.click("ann", shown, "Stop")
    ended = await chat.answer(spot, "Stopped by Ann", "The beginning")
    assert ended.id == shown.id
    await world.quiet()
    assert len(await chat.answers(spot)) == 1


async def _waiting(world: World, said: str) -> bool:
    return any(row.state == "waiting" for row in await world.events(said))


@pytest.mark.behaviour(26)
async def test_a_message_that_is_deleted_while_it_waits_is_not_worked_on(world: World, outside: Outside) -> None:
    world.model.queue(Reply("Done with the first.", hold_after=2))
    spot = await outside.ask("ann", "do the first")
    await world.held()
    ts = await outside.say("ann", "do the regretted one", spot)
    await world.until(lambda: _waiting(world, "regretted"))
    await outside.delete(ts, spot)
    await world.quiet_but_for_runs()
    world.model.release()
    await outside.answer(spot, "Done with the first.")
    await world.quiet()
    assert await world.runs("regretted") == []
    assert len(await outside.answers(spot)) == 1


@pytest.mark.behaviour(26)
async def test_a_message_that_is_edited_while_it_waits_counts_as_edited(world: World, outside: Outside) -> None:
    world.model.queue(Reply("One is done.", hold_after=2))
    spot = await outside.ask("ann", "one")
    await world.held()
    ts = await outside.say("ann", "book the small room", spot)
    await world.until(lambda: _waiting(world, "small room"))
    await outside.edit(ts, "book the large room", spot)
    await world.quiet_but_for_runs()
    world.model.release()
    await outside.answer(spot, "book the large room")
    assert await world.runs("small room") == []


@pytest.mark.behaviour(26)
async def test_deleting_the_message_that_is_worked_on_says_how_to_stop_it(world: World, outside: Outside) -> None:
    world.model.queue(Reply("Too late.", hold_after=2))
    spot = await outside.ask("ann", "forget me")
    await world.held()
    await outside.say("bo", "a reply keeps the thread", spot)
    await outside.delete(spot.root, spot)
    await outside.notice("ann", "You deleted the request", "stop R-")
    world.model.release()
    await world.quiet()
