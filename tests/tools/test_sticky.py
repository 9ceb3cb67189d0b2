"""What a run that has read personal data writes is personal data to whoever reads it later."""

from __future__ import annotations

from dataclasses import replace

from kernel.store import personal
from kernel.types import Labelled, Place
from knowledge.engine.documents import Document
from tests.tools.conftest import Perform
from tests.tools.team import Notes, facts
from tools.engine import Tool, ToolContext
from tools.read_file import read_file
from tools.remember import remember
from tools.search_knowledge import search_knowledge
from tools.write_file import write_file

SECRET = Labelled(text="passport 123", origin="member_text", personal=True)


async def sticks(perform: Perform, tool: Tool, **arguments: object) -> list[bool]:
    result = await perform(tool, **arguments)
    return [piece.personal for piece in result.pieces]


async def test_a_file_keeps_it_by_version(ctx: ToolContext, perform: Perform) -> None:
    await perform(write_file, replace(ctx, facts=facts(SECRET)), path="a.md", content="their passport")
    assert await sticks(perform, read_file, path="a.md") == [True]
    await perform(write_file, path="a.md", content="the menu")
    assert await sticks(perform, read_file, path="a.md") == [False]


async def test_a_memory_and_a_document_keep_it(ctx: ToolContext, perform: Perform) -> None:
    assert isinstance(ctx.knowledge, Notes)
    kept = await perform(remember, replace(ctx, facts=facts(SECRET)), about="travel", text="lunch with passport")
    document = kept.data["document"]
    assert ctx.store.read_now(lambda session: personal.marked(session, [personal.of_document(document)]))
    plain = await perform(remember, call_id="B", about="food", text="lunch is at noon")
    assert not ctx.store.read_now(
        lambda session: personal.marked(session, [personal.of_document(plain.data["document"])])
    )
    for key in ("R-ONE", "R-TWO"):
        await ctx.knowledge.add(
            Document(source="outputs:x", key=key, title=key, text="supper", readers=("team",), origin="outside_text")
        )
    ctx.store.write_now(lambda session: personal.mark(session, personal.of_run("R-ONE")))
    assert await sticks(perform, search_knowledge, query="supper") == [True, False]


async def test_the_file_of_a_channel_is_for_its_readers(ctx: ToolContext, perform: Perform) -> None:
    await perform(write_file, path="channel/a.md", content="ours")
    [piece] = (await perform(read_file, path="channel/a.md")).pieces
    assert piece.readers == (f"channel:{ctx.facts.place.lane}",)
    dm = replace(ctx, facts=facts(place=Place(platform="web", tenant="local", channel="d-mia", kind="dm")))
    await perform(write_file, dm, path="channel/a.md", content="mine")
    [piece] = (await perform(read_file, dm, path="channel/a.md")).pieces
    assert piece.readers == ("person:mia",)
