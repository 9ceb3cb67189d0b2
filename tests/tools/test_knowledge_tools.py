"""search_knowledge and remember: nobody reads through Bosun what they could not read without it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kernel.store import runs
from kernel.types import Labelled, Place
from knowledge.engine.documents import Document
from tests.tools.cases import shows
from tests.tools.conftest import Perform
from tests.tools.team import CHANNELS, Notes, facts
from tools.engine import ToolContext
from tools.read_request import read_request
from tools.remember import remember
from tools.search_knowledge import search_knowledge

DM = Place(platform="web", tenant="local", channel="d-mia", kind="dm")


@pytest.fixture
async def notes(ctx: ToolContext) -> Notes:
    assert isinstance(ctx.knowledge, Notes)
    for key, reader, origin in (("a", "team", "member_text"), ("b", "person:mia", "outside_text")):
        await ctx.knowledge.add(
            Document(
                source="upload", key=key, title=f"Paper {key}", text=f"lunch {key}", readers=(reader,), origin=origin
            )
        )
    return ctx.knowledge


@shows("works", "search_knowledge")
@shows("hostile", "search_knowledge")
async def test_a_search_gives_passages_with_sources_and_labels(perform: Perform, notes: Notes) -> None:
    found = await perform(search_knowledge, query="lunch")
    assert [(source.number, source.title, source.url, source.quote) for source in found.sources] == [
        (1, "Paper a › Rules", "/documents/d-a#c1", "lunch a")
    ]
    assert [(piece.text, piece.origin, piece.source) for piece in found.pieces] == [
        ("Paper a › Rules\nlunch a", "member_text", "d-a")
    ]
    assert found.summary == "Found 1 passage"


@shows("not let in", "search_knowledge")
async def test_a_channel_sees_what_everybody_in_it_may_read_and_hears_that_something_is_withheld(
    perform: Perform, notes: Notes
) -> None:
    found = await perform(search_knowledge, query="lunch b")
    assert found.content == (
        "Nothing was found. Searched 2 documents by words."
        " Something fits that not everybody here may read; it is left out."
    )
    assert [piece.origin for piece in found.pieces] == ["nowhere"]


async def test_a_dm_sees_what_the_asker_may_read(ctx: ToolContext, perform: Perform, notes: Notes) -> None:
    found = await perform(search_knowledge, replace(ctx, facts=facts(place=DM)), query="lunch")
    assert [piece.origin for piece in found.pieces] == ["member_text", "outside_text"]
    assert found.summary == "Found 2 passages"


@shows("not there", "search_knowledge")
async def test_a_shared_channel_sees_nothing_of_the_team(ctx: ToolContext, perform: Perform, notes: Notes) -> None:
    found = await perform(search_knowledge, replace(ctx, facts=facts(place=CHANNELS["#partners"])), query="lunch")
    assert found.content.startswith("Nothing was found.")


async def test_a_memory_is_found_where_it_was_made(ctx: ToolContext, perform: Perform) -> None:
    kept = await perform(remember, about="Lunch", text="lunch is at noon")
    assert (kept.content, kept.summary) == ("Remembered for #general as M-TEST.", "Remembered: Lunch")
    here = await perform(search_knowledge, query="noon")
    assert [piece.text for piece in here.pieces] == ["Lunch › Rules\nlunch is at noon"]
    there = await perform(search_knowledge, replace(ctx, facts=facts(place=CHANNELS["#finance"])), query="noon")
    assert there.content.startswith("Nothing was found.")


async def test_a_memory_of_a_dm_is_its_person_s_alone(ctx: ToolContext, perform: Perform) -> None:
    in_dm = replace(ctx, facts=facts(place=DM))
    assert (
        await perform(remember, in_dm, about="Lunch", text="noon")
    ).content == "Remembered for Mia Brandt alone as M-TEST."
    assert (await perform(search_knowledge, in_dm, query="noon")).summary == "Found 1 passage"
    assert (await perform(search_knowledge, query="noon")).summary == "Nothing was found"


@shows("works", "remember")
async def test_the_same_call_remembers_once(ctx: ToolContext, perform: Perform) -> None:
    for _ in range(2):
        await perform(remember, about="Lunch", text="noon")
    assert (await perform(search_knowledge, query="noon")).summary == "Found 1 passage"


async def test_a_memory_carries_the_label_of_its_run(ctx: ToolContext, perform: Perform) -> None:
    tainted = replace(ctx, facts=facts(Labelled(text="x", origin="outside_text")))
    await perform(remember, tainted, call_id="1", about="Lunch", text="noon")
    await perform(remember, call_id="2", about="Dinner", text="noon")
    found = await perform(search_knowledge, query="noon")
    assert [piece.origin for piece in found.pieces] == ["outside_text", "member_text"]


async def test_the_preview_of_a_memory_says_who_will_read_it(ctx: ToolContext) -> None:
    preview = await remember.preview({"about": "Lunch", "text": "noon"}, ctx)
    assert preview.headline == "Remember: Lunch"
    assert [(fact.label, fact.value) for fact in preview.facts] == [("Readable by", "#general")]
    assert preview.payloads[0].content == "noon"


@shows("works", "read_request")
@shows("not let in", "read_request")
@shows("not there", "read_request")
@shows("hostile", "read_request")
async def test_an_earlier_request_is_read_in_its_own_channel_alone(ctx: ToolContext, perform: Perform) -> None:
    ended = runs.Run(
        id="01EARLIER",
        ref="R-OLD1",
        agent="ops",
        requester="mia",
        place=CHANNELS["#finance"].model_dump(mode="json"),
        request="What does ACME owe us?",
        answer="420 EUR.",
        state=runs.DONE,
        created_at=ctx.clock.now(),
        updated_at=ctx.clock.now(),
    )
    await ctx.store.write(lambda session: session.add(ended))
    elsewhere = await perform(read_request, ref="R-OLD1")
    unknown = await perform(read_request, ref="R-OLD2")
    assert elsewhere.content.replace("OLD1", "OLD2") == unknown.content
    assert unknown.error
    read = await perform(read_request, replace(ctx, facts=facts(place=CHANNELS["#finance"])), ref="r-old1")
    assert "What does ACME owe us?" in read.content
    assert "420 EUR." in read.content
    assert [piece.origin for piece in read.pieces] == ["outside_text"]
