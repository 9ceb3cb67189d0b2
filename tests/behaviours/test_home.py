"""Everybody has a dashboard of the same content on every platform, with nothing on it that is not theirs to see."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from tests.behaviours.chat import Chat, Said, Spot
from tests.behaviours.discord_chat import DiscordChat
from tests.behaviours.payments import ask_for_payment, new_reference, payment
from tests.behaviours.slack_chat import SlackChat
from tests.behaviours.team import SLACK_USERS
from tests.behaviours.web_chat import WebChat
from tests.behaviours.world import World
from tests.fakes.anthropic import Reply
from tests.fakes.slack.blocks import buttons, visible

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def home_of(chat: Chat, person: str) -> str:
    """What this person is shown who says `home` in a channel."""
    before = len(await chat.notices(person))
    await chat.ask(person, "home")
    return await chat.notice(person, "Recent decisions", after=before)


def ref_of_run(text: str) -> str:
    """The first run that is named."""
    found = re.search(r"R-[0-9A-Z]{4,}", text)
    assert found is not None, text
    return found[0]


@pytest.mark.behaviour(24)
async def test_home_shows_each_person_what_is_theirs_and_nobody_else_sees_it(world: World, chat: Chat) -> None:
    asked = await ask_for_payment(chat)
    decides = await home_of(chat, "bo")
    asks = await home_of(chat, "ann")
    assert "420.00 EUR" in decides.split("Running now")[0]
    assert "Nothing waits for you." in asks.split("Running now")[0]
    assert asked.reference in asks.split("Running now")[1].split("Schedules")[0]
    assert "asks first" in asks.split("may do alone")[1]
    at_work = asks.split("at work: ")[1]
    assert ref_of_run(asks.split("Running now")[1]) in at_work.split("alone")[0]
    private = await chat.ask("cy", "approvals")  # what is said in the channel afterwards is all that others see of it
    await world.quiet()
    everywhere = [said.text for said in await chat.read(Spot(channel="general")) if said.by == "bosun"]
    assert not [text for text in everywhere if "Recent decisions" in text], private
    await chat.click("bo", asked.card, "Reject…")
    await chat.dialog("bo")
    await chat.submit("bo", reason="not now")
    await chat.answer(asked.spot, "Done.", "not now")
    await world.quiet()
    later = await home_of(chat, "ann")
    assert "not now" in later.split("Recent decisions")[1]
    assert f"last: {ref_of_run(at_work)} done" in later


@pytest.mark.behaviour(29)
async def test_a_request_in_a_direct_message_stands_on_nobody_elses_dashboard(world: World, chat: Chat) -> None:
    world.model.queue(Reply("As you wish.", hold_after=1))
    await chat.say("ann", "our secret project", chat.home("ann"))
    try:
        await world.held()
        mine = await world.until(lambda: _holding(chat, "ann", "our secret project"))
        assert "our secret project" in mine
        others = await home_of(chat, "bo")
        assert "our secret project" not in others
        ref = ref_of_run(mine.split("our secret project")[1])
        assert ref in mine.split("at work: ", maxsplit=1)[1]
        assert ref not in others
    finally:
        world.model.release()


async def _holding(chat: Chat, person: str, words: str) -> str | None:
    shown = await home_of(chat, person)
    return shown if words in shown else None


@pytest.mark.behaviour(24)
async def test_slack_has_it_in_the_home_tab_where_it_is_worked_with_and_kept_up_to_date(
    world: World, slack: SlackChat
) -> None:
    bo, pages = SLACK_USERS["bo"], world.slack.world.pages
    asked = await ask_for_payment(slack)
    await world.slack.open_page(bo)
    await world.seen(lambda: [one for one in buttons(pages.get(bo, {})) if asked.ref in one["value"]])
    assert "420.00 EUR" in visible(pages[bo]).split("Running now")[0]
    await slack.use_home("bo", "Review", asked.ref)
    card = await slack.answer(slack.home("bo"), asked.reference, "Waiting")
    assert "Approve" in card.buttons
    await slack.click("bo", card, "Approve")
    await world.seen(lambda: "Nothing waits for you." in visible(pages[bo]))
    await slack.answer(asked.spot, "Done.")
    assert len(await world.paid(asked.reference)) == 1
    await world.seen(lambda: "Approved by Bo" in visible(pages[bo]))


async def test_a_home_tab_that_could_not_be_shown_is_shown_later_and_followed_by_the_next_process(
    world: World, slack: SlackChat
) -> None:
    bo, pages = SLACK_USERS["bo"], world.slack.world.pages
    asked = await ask_for_payment(slack)
    world.slack.faults.fail("views.publish", "500")
    await world.slack.open_page(bo)
    await world.seen(lambda: [one for one in buttons(pages.get(bo, {})) if asked.ref in one["value"]])
    await world.restart()
    await slack.click("bo", asked.card, "Approve")
    await world.seen(lambda: "Nothing waits for you." in visible(pages[bo]))


@pytest.mark.behaviour(24)
async def test_discord_brings_the_dashboard_that_somebody_looks_at_up_to_date(
    world: World, discord: DiscordChat
) -> None:
    asked = await ask_for_payment(discord)
    home = await discord.dashboard("bo", lambda home: asked.ref in str(home.raw))
    assert "420.00 EUR" in home.text.split("Running now")[0]
    await discord.click("bo", asked.card, "Approve")
    await discord.answer(asked.spot, "Done.")
    home = await discord.dashboard("bo", lambda home: "Nothing waits for you." in home.text)
    await discord.click("bo", home, "Go away…")
    await discord.dialog("bo")
    await discord.submit("bo", until=f"{world.clock.now() + timedelta(days=3):%Y-%m-%d}", who="cy")
    home = await discord.dashboard("bo", lambda home: "I’m back" in home.buttons)
    await discord.click("bo", home, "I’m back")
    await discord.dashboard("bo", lambda home: "Go away…" in home.buttons)


@pytest.mark.behaviour(24)
async def test_a_workflow_is_begun_from_the_dashboard(world: World, chat: Chat) -> None:
    asked = await ask_for_payment(chat)
    await chat.click("bo", asked.card, "Approve")
    await chat.answer(asked.spot, "Done.")
    await chat.use_home("ann", "Run now", "S-digest")
    assert "#general" in await chat.notice("ann", "Started", "digest")
    await chat.answer(Spot(channel="general"), "Digest of #general", asked.reference)


@pytest.mark.behaviour(24)
async def test_people_go_away_and_come_back_and_link_accounts_from_the_dashboard(world: World, chat: Chat) -> None:
    day = f"{world.clock.now() + timedelta(days=3):%Y-%m-%d}"
    await chat.use_home("bo", "Go away…", "ME-away")
    assert set(await chat.dialog("bo")) == {"until", "who"}
    await chat.submit("bo", until=day, who="cy")
    await chat.notice("bo", "Cy decides for you until")
    assert "You decide for Bo as well" in await home_of(chat, "cy")
    await chat.use_home("bo", "I’m back", "ME-away")
    await chat.notice("bo", "Welcome back")
    await chat.use_home("bo", "Go away…", "ME-away")
    await chat.dialog("bo")
    await chat.submit("bo", until="tomorrow", who="-")
    await chat.notice("bo", "There is no day tomorrow")
    await chat.use_home("ann", "Link another…", "ME-accounts")
    await chat.notice("ann", "Your code is")


SECRET = """
name: secret
description: For administrators
channel: "#bosun"
trigger: {cron: "0 8 1 * *"}
steps:
  - {post: {text: Hush}}
"""


async def test_nobody_begins_with_a_forged_button_what_they_could_not_see(world: World, web: WebChat) -> None:
    (world.charter / "workflows" / "secret.yaml").write_text(SECRET)
    await world.seen(lambda: "secret" in world.app.workflows.launch.workflows())
    for subject, told in (("S-secret", "cannot read"), ("S-incident", "does not begin with a button")):
        await web.press("ann", {"subject": subject, "revision": 0, "verb": "run"})
        await web.notice("ann", told)


async def test_a_schedule_is_paused_from_the_home_tab_by_who_may_and_shows_no_button_to_others(
    world: World, slack: SlackChat
) -> None:
    dee, ann, pages = SLACK_USERS["dee"], SLACK_USERS["ann"], world.slack.world.pages
    for user in (dee, ann):
        await world.slack.open_page(user)
        await world.seen(lambda user=user: user in pages)  # type: ignore[misc]
    assert {one["text"]["text"] for one in buttons(pages[ann]) if one["value"].startswith("S-")} == {"Run now", "Open"}
    await world.slack.click_on_page(dee, "Pause", "S-digest")
    await slack.notice("dee", "Paused", "digest")
    await world.seen(lambda: [one for one in buttons(pages[dee]) if one["text"]["text"] == "Resume"])
    await world.slack.click_on_page(dee, "Resume", "S-digest")
    await slack.notice("dee", "begins by itself again")


async def test_a_workflow_is_opened_on_the_home_tab_with_what_each_person_may_do_with_it(
    world: World, slack: SlackChat
) -> None:
    dee, ann, pages = SLACK_USERS["dee"], SLACK_USERS["ann"], world.slack.world.pages
    for user in (dee, ann):
        await world.slack.open_page(user)
        await world.seen(lambda user=user: user in pages)  # type: ignore[misc]
        await world.slack.click_on_page(user, "Open", "S-digest")
    opened = await _private(slack, "ann", "What was asked, decided and done", "Every weekday at 09:00")
    assert opened.buttons == ("Run now", "Dry run", "History", "Picture")
    await slack.click("ann", opened, "History")
    await slack.notice("ann", "digest")
    opened = await _private(slack, "dee", "What was asked, decided and done")
    assert {"Pause", "Delete…"} <= {*opened.buttons}
    await slack.click("dee", opened, "Dry run")
    await slack.notice("dee", "Nothing was done")
    await slack.click("ann", opened, "Pause")  # not her button, and not hers to decide
    await slack.notice("ann", "Nothing was changed")


async def _private(slack: SlackChat, person: str, *words: str) -> Said:
    """What only this person was shown, with its buttons."""
    await slack.notice(person, *words)
    shown = slack.world.slack.ephemerals_for(SLACK_USERS[person])
    raw = next(one for one in reversed(shown) if all(word in one["visible"] for word in words))
    labels = tuple(button["text"]["text"] for button in buttons(raw))
    return Said(id=raw["ts"], by="bosun", text=raw["visible"], buttons=labels, raw={**raw, "where": raw["channel"]})


async def test_a_workflow_is_drawn_where_it_is_asked_for_with_its_words(world: World, chat: Chat) -> None:
    spot = await chat.ask("ann", "picture incident")
    await chat.answer(spot, "incident", "as a picture")

    async def picture() -> str | None:
        return next((alt for said in await chat.answers(spot) if (alt := _alt(said.raw)) is not None), None)

    assert "Steps: 1. somebody of admin or finance fills in a form" in await world.until(picture)


def _alt(raw: dict[str, Any]) -> str | None:
    """What the platform says of a picture to who cannot see it."""
    files = raw.get("files") or raw.get("attachments") or ()
    words = [one.get("alt_txt") or one.get("alt") or one.get("description") for one in files]
    return words[0] if words else None


async def test_the_web_console_has_a_page_for_each_workflow_that_one_may_see(web: WebChat) -> None:
    page = await web.browser("ann").page("/workflows/incident")
    assert "Steps: 1. somebody of admin or finance fills in a form" in page
    assert "Runs so far" in page
    drawn = await web.browser("ann").http.get("/workflows/incident/picture.png")
    assert drawn.content.startswith(b"\x89PNG")
    for path in ("/workflows/nothing", "/workflows/nothing/picture.png"):
        assert (await web.browser("ann").http.get(path)).status_code == 404


BUDGET = """
version: 1
rules:
  - id: kroner
    why: Payments in kroner have a budget.
    tool: queue_payment
    args: {currency: {is: SEK}}
    budget: {amount: 1000, per: day, each: person, owner: admin}
    decision: ask
    approval: {who: finance}
"""


async def test_home_shows_each_person_their_own_budget_and_the_owner_all_of_them(
    world: World, slack: SlackChat
) -> None:
    (world.charter / "rules" / "kroner.yaml").write_text(BUDGET)
    await world.seen(lambda: world.app.rules.current.rule("kroner"))
    asked = await ask_for_payment(slack, amount=620, currency="SEK")
    await slack.click("bo", asked.card, "Approve")
    await slack.answer(asked.spot, "Done.")
    for person in ("ann", "dee"):
        assert "620 of 1000 used, 62 % · ann" in await home_of(slack, person)
    assert "of 1000 used" not in await home_of(slack, "bo")


async def test_the_web_page_has_the_same_parts(world: World, web: WebChat) -> None:
    page = await web.browser("ann").get("/api/home")
    assert {"waiting", "running", "schedules", "agents", "budgets", "recent", "settings", "footer", "more"} == set(page)
    assert {one["name"]: one["controlled"] for one in page["schedules"]}["digest"] is False
    assert any("asks first" in line for agent in page["agents"] for line in agent["rights"])


async def test_home_says_that_more_waits_than_it_shows(world: World, everywhere: list[Chat]) -> None:
    world.clock.advance(hours=25)  # what was asked before has expired
    slack = everywhere[0]
    calls = [("queue_payment", json.loads(payment(new_reference()))) for _ in range(11)]
    world.model.queue(Reply(calls=calls))
    spot = await slack.ask("ann", "finance: pay them all")
    await slack.card(spot, "11")
    for chat in everywhere:
        assert "More waits for you" in await home_of(chat, "bo")
        assert "More waits" not in await home_of(chat, "ann")
    await slack.say("ann", "stop", spot)
    await slack.answer(spot, "Stopped by Ann")
