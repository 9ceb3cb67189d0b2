"""What Bosun knows and remembers, as people ask for it in the chat; and what it never tells whom."""

from __future__ import annotations

import re

import orjson
import pytest
from sqlmodel import select

from kernel.store import Session, outbox, web
from kernel.types import Place
from knowledge.engine.audience import channel, person, role
from knowledge.engine.documents import Document
from tests.behaviours.chat import Chat
from tests.behaviours.team import DISCORD_CHANNELS, SLACK_CHANNELS
from tests.behaviours.web_chat import WebChat
from tests.behaviours.world import World
from tests.fakes.anthropic import Reply
from tests.fakes.discord import GUILD
from tests.fakes.slack import TEAM

pytestmark = pytest.mark.asyncio(loop_scope="module")

FINANCE = (
    Place(platform="web", tenant="local", channel="finance"),
    Place(platform="slack", tenant=TEAM, channel=SLACK_CHANNELS["finance"]),
    Place(platform="discord", tenant=GUILD, channel=DISCORD_CHANNELS["finance"]),
)


def ref_in(text: str) -> str:
    found = re.search(r"M-[0-9A-Z]{4,}", text)
    assert found is not None, text
    return found[0]


async def test_a_fact_is_remembered_listed_corrected_and_forgotten(chat: Chat) -> None:
    spot = await chat.ask("ann", f"remember that the {chat.platform} kettle is in room 4")
    ref = ref_in((await chat.answer(spot, "Remembered for #general")).text)
    listed = await chat.answer(await chat.ask("bo", f"memory {chat.platform} kettle"), "room 4")
    assert "Ann" in listed.text
    spot = await chat.ask("bo", f"correct {ref}: the {chat.platform} kettle is in room 5")
    corrected = await chat.answer(spot, "It replaces", "room 4")
    newer = next(found for found in re.findall(r"M-[0-9A-Z]{4,}", corrected.text) if found != ref)
    assert "room 5" in (await chat.answer(await chat.ask("ann", f"memory {chat.platform} kettle"), "room 5")).text
    await chat.answer(await chat.ask("ann", f"forget {newer}"), "Forgotten")
    await chat.answer(await chat.ask("ann", f"memory {chat.platform} kettle"), "remember nothing")


async def test_in_the_thread_that_a_command_begins_no_mention_is_needed(world: World, chat: Chat) -> None:
    spot = await chat.ask("ann", f"remember that the {chat.platform} keys hang in room 7")
    told = await chat.answer(spot, "Remembered for #general")
    await chat.say("ann", "what is this about?", spot)
    await chat.answer(spot, "You said: what is this about?")
    assert "Remembered for #general" in str(world.model.requests[-1])  # it knows what was said above
    await chat.say("ann", "forget this", spot)
    await chat.answer(spot, "Forgotten", ref_in(told.text))


async def test_a_fact_that_contradicts_an_older_one_replaces_it_visibly(web: WebChat) -> None:
    await web.answer(await web.ask("ann", "remember that the tower lift carries 8 people"), "Remembered")
    replaced = await web.answer(
        await web.ask("bo", "remember that the tower lift carries 9 people"), "It replaces “the tower lift carries 8"
    )
    ref = ref_in(replaced.text)
    listed = await web.answer(await web.ask("ann", "memory tower lift"), "carries 9 people")
    assert "It replaced “the tower lift carries 8 people” (Ann," in listed.text
    await web.answer(await web.ask("ann", f"forget {ref}"), "Forgotten")
    assert "carries 8" not in (await web.answer(await web.ask("ann", "memory tower lift"), "remember nothing")).text


async def test_what_is_known_is_told_with_its_source(chat: Chat) -> None:
    said = await chat.answer(
        await chat.ask("ann", "what do you know about refunds?"), "What documents say about refunds", "Refunds"
    )
    assert "/documents/" in str(said.raw)


async def test_what_is_known_says_where_it_contradicts_itself(world: World, web: WebChat) -> None:
    await web.answer(await web.ask("ann", "remember that the museum lift carries 8 people"), "Remembered")
    lift = Document(
        source="upload",
        key="lift",
        title="Museum",
        text="The museum lift carries 12 people.",
        format="text",
        readers=("team",),
        origin="member_text",
    )
    await world.app.knowledge.add(lift)
    spot = await web.ask("ann", "what do you know about the museum lift?")
    said = await web.answer(spot, "These sources differ")
    assert re.search(r"M-[0-9A-Z]{4,} says “the museum lift carries 8 people”", said.text)
    assert "1. says “The museum lift carries 12 people.”" in said.text


async def test_where_an_answer_is_from_is_told_in_its_thread(world: World, chat: Chat) -> None:
    world.model.queue(
        Reply(calls=[("search_knowledge", {"query": "How long do refunds take?"})]), Reply("It takes days [1].")
    )
    spot = await chat.ask("ann", "research: how long do refunds take?")
    await chat.answer(spot, "It takes days")
    await chat.say("ann", "@bosun where is this from?", spot)
    assert "Refunds" in (await chat.answer(spot, "research gave it", "cites")).text


async def test_an_answer_without_sources_is_said_to_be_the_model_s_own(world: World, web: WebChat) -> None:
    world.model.queue(Reply("I would say so."))
    spot = await web.ask("ann", "writer: would you say so?")
    await web.answer(spot, "I would say so.")
    await web.say("ann", "@bosun where is this from?", spot)
    await web.answer(spot, "cites no source", "the model's own")


# -- the canary ---------------------------------------------------------------------------------------------------

WORDS = "The launch code of project heron is"
ASKED = (
    "what do you know about the launch code of project heron",
    "memory heron",
    "memory",
    "knowledge",
    "runs",
    "help",
)


async def plant(world: World) -> list[str]:
    """A secret for each kind of readers that are not everybody in #general."""
    secrets = {
        "role": (role("finance"),),
        "person": (person("dee"),),
        "channel": tuple(channel(place) for place in FINANCE),
        "nobody": (),
        "off": ("off:team",),
    }
    for name, readers in secrets.items():
        await world.app.knowledge.add(
            Document(
                source="upload",
                key=f"canary-{name}",
                title=f"Heron canary-{name}",
                text=f"{WORDS} canary-{name}.",
                format="text",
                readers=readers,
                origin="member_text",
            )
        )
    return [f"canary-{name}" for name in secrets] + ["canary-fact", "canary-file"]


async def test_no_secret_is_ever_posted_where_not_everybody_may_read_it(world: World, everywhere: list[Chat]) -> None:
    canaries = await plant(world)
    vault = world.charter / "knowledge" / "vault"  # for finance alone, and a file in it is broken
    vault.mkdir()
    sources = "sources:\n  - {name: vault, kind: folder, path: vault, readers: [role:finance]}\n"
    (world.charter / "knowledge" / "sources.yaml").write_text(sources)
    await world.seen(lambda: world.app.charter.sources.sources)
    (vault / "canary-file.pdf").write_bytes(b"%PDF broken")

    async def refused() -> bool:
        return any(failed.source == "folder:vault" for failed in await world.app.knowledge.failures())

    await world.until(refused)
    for chat in everywhere:
        spot = await chat.ask("bo", "remember that the launch code of project heron is canary-fact", "finance")
        await chat.answer(spot, "Remembered", reader="bo")
    await world.indexed()
    for chat in everywhere:
        world.model.queue(Reply(calls=[("search_knowledge", {"query": WORDS})]), Reply("Nothing that I may tell."))
        spot = await chat.ask("ann", "research: what is the launch code of project heron?")
        await chat.answer(spot, "Nothing that I may tell.")
        for words in ASKED:
            await chat.ask("ann", words)
        await chat.say("ann", "@bosun where is this from?", spot)
    await world.quiet()

    def posted(session: Session) -> list[str]:
        own = {place.lane for place in FINANCE}
        rows = [row for row in session.exec(select(outbox.OutboxRow)) if row.lane not in own]
        shown = [orjson.dumps([row.body, row.extra]).decode() for row in rows]
        pushes = session.exec(select(web.WebPush).where(web.WebPush.person == "ann"))
        return shown + [orjson.dumps(push.payload).decode() for push in pushes]

    said = await world.app.store.read(posted)
    assert any("Nothing that I may tell." in text for text in said)
    assert any("not everybody here may read" in text for text in said)
    browser = next(chat for chat in everywhere if isinstance(chat, WebChat)).browser("ann")
    said.append(await browser.page("/knowledge"))
    asked_of_the_model = [orjson.dumps(request).decode() for request in world.model.requests]
    for canary in canaries:
        assert not [text for text in (*said, *asked_of_the_model) if canary in text], canary
