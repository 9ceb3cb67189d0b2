"""remember: keep a fact for later, readable by those who were there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kernel.types import Fact, Labelled, Payload, ToolResult
from tools.engine import Arguments, OneLine, Preview, ToolContext, labels, tool
from tools.engine.preview import one_line

if TYPE_CHECKING:
    from kernel.types import RunFacts


class Remember(Arguments):
    """What is kept."""

    about: OneLine = Field(min_length=1, max_length=120, description="What it is about, in a few words")
    text: str = Field(min_length=1, max_length=4000, description="The fact, so that it is understood without context")


def _readers(facts: RunFacts) -> tuple[str, str]:
    """Who will find it, for the knowledge base and for people: nobody who could not have been here."""
    from knowledge.engine import audience

    if facts.place.kind == "dm":
        return audience.person(facts.requester.id), f"{facts.requester.name} alone"
    return audience.channel(facts.place), facts.channel_name or "this channel"


async def _preview(args: Remember, ctx: ToolContext) -> Preview:
    return Preview(
        headline=one_line(f"Remember: {args.about}"),
        facts=(Fact(label="Readable by", value=_readers(ctx.facts)[1]),),
        payloads=(Payload(title=one_line(args.about), content=args.text, language="text"),),
    )


@tool(effect="write", free_text=("about", "text"), safe_to_repeat=True, timeout=30, preview=_preview)
async def remember(args: Remember, ctx: ToolContext) -> ToolResult:
    """Keep a fact for later requests in this channel. Use it when somebody asks to remember something."""
    from knowledge.engine.documents import Document

    reader, people = _readers(ctx.facts)
    added = await ctx.knowledge.add(
        Document(
            source="memory",
            key=ctx.call_id,  # the same call is the same memory
            kind="memory",
            title=args.about,
            text=args.text,
            format="text",
            readers=(reader,),
            origin=labels.of_run(ctx.facts),
            author=ctx.facts.requester.name,
            written_at=ctx.clock.now(),
        )
    )
    sentence = f"Remembered for {people}."
    return ToolResult(
        content=sentence,
        pieces=(Labelled(text=sentence, origin="nowhere"),),
        data={"document": added.document_id},
        summary=one_line(f"Remembered: {args.about}"),
    )
