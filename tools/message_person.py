"""message_person: a direct message to somebody of the team."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kernel.store import outbox
from kernel.types import Fact, Labelled, Payload, Place, Text, ToolResult
from tools.engine import Arguments, CannotDo, Preview, ToolContext, tool
from tools.engine.preview import one_line

if TYPE_CHECKING:
    from kernel.types import Actor, Person


class MessagePerson(Arguments):
    """Who is told what."""

    person: str = Field(min_length=1, max_length=64, description="The person's id, as in people.yaml")
    text: str = Field(min_length=1, max_length=8000, description="The message, in Markdown")


def _reached(args: MessagePerson, ctx: ToolContext) -> tuple[Person, Actor]:
    """Who it is, and by which account. CannotDo where they may not read what the run has read."""
    person = ctx.directory.by_id(args.person)
    if person is None or not person.listed:
        raise CannotDo("There is no such person in people.yaml.")
    actor = ctx.directory.reach(person, ctx.facts.place.platform)
    if actor is None:
        raise CannotDo(f"{person.name} has no account that I can write to.")
    withheld = [piece for piece in ctx.facts.seen if piece.readers and f"person:{person.id}" not in piece.readers]
    if withheld and person.id != ctx.facts.requester.id:
        raise CannotDo(
            f"This run has read something that {person.name} may not be allowed to read, so nothing was sent."
        )
    return person, actor


async def _preview(args: MessagePerson, ctx: ToolContext) -> Preview:
    person, _ = _reached(args, ctx)
    return Preview(
        headline=one_line(f"Write to {person.name}"),
        facts=(Fact(label="To", value=person.name),),
        payloads=(Payload(title=one_line(f"Message to {person.name}"), content=args.text, language="text"),),
        reversible=False,
    )


@tool(
    effect="send",
    authority=("person",),
    free_text=("text",),
    safe_to_repeat=True,  # the row of the message is named after the call
    timeout=10,
    preview=_preview,
)
async def message_person(args: MessagePerson, ctx: ToolContext) -> ToolResult:
    """Write a direct message to somebody of the team. To answer whoever asked, just answer."""
    person, actor = _reached(args, ctx)
    facts = ctx.facts
    body = Text(markdown=args.text, agent=facts.agent, footer=f"Sent for {facts.requester.name} · {facts.ref}")
    place = Place(platform=actor.platform, tenant=actor.tenant, channel="", kind="dm")
    await ctx.store.write(
        lambda session: outbox.put(session, ctx.call_id, place, body, ctx.clock.now(), to=actor, run_id=facts.run_id)
    )
    sentence = f"The message to {person.name} is on its way."
    return ToolResult(
        content=sentence,
        pieces=(Labelled(text=sentence, origin="nowhere"),),
        data={"outbox": ctx.call_id},
        summary=one_line(f"Wrote to {person.name}"),
    )
