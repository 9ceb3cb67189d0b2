"""remember: keep a fact for later, readable by those who were there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from kernel.store import personal
from kernel.types import Fact, Labelled, Payload, ToolResult
from tools.engine import Arguments, OneLine, Preview, ToolContext, labels, tool
from tools.engine.preview import one_line

if TYPE_CHECKING:
    from kernel.types import RunFacts


class Remember(Arguments):
    """What is kept."""

    about: OneLine = Field(
        min_length=1,
        max_length=120,
        description="What it is about, in a few words. A newer fact about the same, in the same words, replaces it",
    )
    text: str = Field(min_length=1, max_length=1500, description="The fact, so that it is understood without context")
    kind: Literal["fact", "preference", "decision", "correction"] = Field(
        default="fact", description="preference: what the requester likes; correction: something that was wrong before"
    )


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
    """Keep a fact for later requests in this channel: what the team decided, prefers or found out, or asks to remember.

    A newer fact about the same replaces the older one.
    """
    from knowledge.memory import Fact as Kept

    facts = ctx.facts
    reader, people = _readers(facts)
    kept = await ctx.knowledge.remember(
        Kept(
            key=ctx.call_id,  # the same call is the same memory
            about=args.about,
            text=args.text,
            kind=args.kind,
            readers=(reader,),
            origin=labels.of_run(facts),
            author=facts.requester.name,
            author_id=facts.requester.id,
            source=f"{facts.agent}, {facts.ref}",
            lane=facts.place.lane,
            thread=facts.place.thread or "",
            at=ctx.clock.now(),
        )
    )
    if facts.personal_data_read:
        await ctx.store.write(lambda session: personal.mark(session, personal.of_document(kept.id)))
    sentence = f"Remembered for {people} as {kept.ref}."
    pieces = [Labelled(text=sentence, origin="nowhere")]
    if kept.replaced:
        sentence += f" It replaces {kept.replaced[0]}."
        pieces.append(Labelled(text=kept.replaced[0], origin="outside_text", source=kept.id))
    return ToolResult(
        content=sentence,
        pieces=tuple(pieces),
        data={"document": kept.id, "memory": kept.ref},
        summary=one_line(f"Remembered: {args.about}"),
    )
