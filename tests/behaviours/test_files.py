"""What people attach is read or refused with a reason, and can be quoted afterwards."""

import pytest

from tests.behaviours.chat import Chat
from tests.behaviours.outside import Outside
from tests.behaviours.slack_chat import SlackChat
from tests.behaviours.web_chat import WebChat
from tests.behaviours.world import World
from tests.fakes.anthropic import Reply
from tests.knowledge.files import PNG

pytestmark = pytest.mark.asyncio(loop_scope="module")

HANDBOOK = b"# Parking\n\nThe parking space number 17 belongs to the night shift of the harbour crew.\n"


@pytest.mark.behaviour(22)
async def test_a_markdown_file_is_read_and_quoted_in_a_later_answer(world: World, chat: Chat) -> None:
    file = (f"parking-{chat.platform}.md", HANDBOOK)
    spot = await chat.ask("ann", "please keep this", files=[file])
    await chat.answer(spot, "please keep this")
    await world.indexed()
    world.model.queue(Reply(calls=[("search_knowledge", {"query": "parking space 17"})]), Reply("The night shift [1]."))
    later = await chat.ask("bo", "research: whose is parking space 17?")
    said = await chat.answer(later, "The night shift")
    assert "harbour crew" in str(world.model.requests[-1]["messages"])
    assert "Parking" in str(said.raw)


@pytest.mark.behaviour(22)
async def test_a_picture_is_looked_at_by_the_model_and_quoted_in_a_later_answer(world: World, chat: Chat) -> None:
    world.model.queue(Reply(f"A whiteboard: walrus {chat.platform} ships on Friday."), Reply("I have looked at it."))
    spot = await chat.ask("ann", "please keep this", files=[(f"board-{chat.platform}.png", PNG)])
    await chat.answer(spot, "I have looked at it.")
    await world.indexed()
    query = f"whiteboard walrus {chat.platform}"
    world.model.queue(Reply(calls=[("search_knowledge", {"query": query})]), Reply("On Friday [1]."))
    later = await chat.ask("bo", f"research: when does the {query} ship?")
    await chat.answer(later, "On Friday")
    assert f"walrus {chat.platform} ships on Friday" in str(world.model.requests[-1]["messages"])


@pytest.mark.behaviour(29)
async def test_what_was_attached_in_a_direct_message_is_found_by_nobody_else(world: World, chat: Chat) -> None:
    home = chat.home("dee")
    name = f"wages-{chat.platform}"
    await chat.say("dee", "keep this", home, files=[(f"{name}.md", f"# Wages\n\nSecret {name} zebra.\n".encode())])
    await world.quiet()
    await world.indexed()
    world.model.queue(Reply(calls=[("search_knowledge", {"query": f"{name} zebra"})]), Reply("Nothing found."))
    spot = await chat.ask("ann", "research: any zebra?")
    await chat.answer(spot, "Nothing found.")
    assert f"Secret {name}" not in str(world.model.requests[-1]["messages"])


@pytest.mark.behaviour(22)
async def test_a_file_of_the_wrong_kind_is_refused_with_the_reason_and_the_rest_is_done(chat: Chat) -> None:
    files = [("notes.md", b"# Notes\n\nAll is well.\n"), ("setup.exe", b"MZ\x90\x00\x03")]
    spot = await chat.ask("ann", "read both", files=files)
    await chat.answer(spot, "I read 1 of 2 files", "setup.exe skipped" if chat.platform == "web" else "setup.exe")
    await chat.answer(spot, "You said: read both")


@pytest.mark.behaviour(22)
async def test_a_file_of_50_mb_is_refused_without_being_fetched(world: World, outside: Outside) -> None:
    spot = await outside.ask("ann", "read this", files=[("huge.md", b"x")], size=50 * 1024 * 1024)
    await outside.answer(spot, "I read 0 of 1 files", "huge.md", "larger than 20 MB")
    await outside.answer(spot, "You said: read this")


@pytest.mark.behaviour(22)
async def test_a_file_of_50_mb_is_refused_by_the_web_chat_before_it_is_sent(world: World, web: WebChat) -> None:
    browser = web.browser("ann")
    await browser.connect()
    answer = await browser.http.post("/api/files?name=huge.md", content=b"x" * (50 * 1024 * 1024))
    assert answer.is_client_error
    assert "larger than 20 MB" in answer.text


@pytest.mark.behaviour(22)
async def test_the_login_page_in_place_of_a_file_is_refused_with_what_is_missing(
    world: World, slack: SlackChat
) -> None:
    world.slack.world.scopes.discard("files:read")
    try:
        spot = await slack.ask("ann", "read the plan", files=[("plan.md", b"# Plan\n\nGo.\n")])
        await slack.answer(spot, "I read 0 of 1 files", "plan.md", "login page")
    finally:
        world.slack.world.scopes.add("files:read")
