"""post_message: say something in another channel of the team."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kernel.store import outbox
from kernel.types import Fact, Labelled, Payload, Text, ToolResult
from tools.engine import Arguments, CannotDo, Preview, ToolContext, tool
from tools.engine.preview import one_line

if TYPE_CHECKING:
    from kernel.types import Place


class PostMessage(Arguments):
    """Where and what."""

    channel: str = Field(pattern="^#[^\\s#]{1,80}$", description="The channel's name, like #finance")
    text: str = Field(min_length=1, max_length=8000, description="The message, in Markdown. Mentions do not notify.")


def _place(args: PostMessage, ctx: ToolContext) -> Place:
    here = ctx.facts.place
    place = ctx.directory.channel(args.channel, here.platform, here.tenant)
    if place is None:
        raise CannotDo(f"The team's charter knows no channel {args.channel} here.")
    return place.in_thread(None)


async def _preview(args: PostMessage, ctx: ToolContext) -> Preview:
    place = _place(args, ctx)
    return Preview(
        headline=one_line(f"Post to {args.channel}"),
        facts=(Fact(label="Channel", value=args.channel),),
        payloads=(Payload(title=f"Message to {args.channel}", content=args.text, language="text"),),
        reversible=False,
        warning="People outside the team read this channel." if place.external else "",
    )


@tool(
    effect="send",
    authority=("channel",),
    free_text=("text",),
    posts_to="channel",
    safe_to_repeat=True,  # the row of the message is named after the call
    timeout=10,
    preview=_preview,
)
async def post_message(args: PostMessage, ctx: ToolContext) -> ToolResult:
    """Post a message to another channel of the team. To answer where you were asked, just answer."""
    place = _place(args, ctx)
    facts = ctx.facts
    body = Text(
        markdown=args.text,
        agent=facts.agent,
        footer=f"Posted for {facts.requester.name} · {facts.ref}",
    )
    await ctx.store.write(
        lambda session: outbox.put(session, ctx.call_id, place, body, ctx.clock.now(), run_id=facts.run_id)
    )
    sentence = f"The message is on its way to {args.channel}."
    return ToolResult(
        content=sentence,
        pieces=(Labelled(text=sentence, origin="nowhere"),),
        data={"outbox": ctx.call_id, "channel": args.channel},
        summary=f"Posted to {args.channel}",
    )
