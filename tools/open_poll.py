"""open_poll: a question with buttons in a channel of the team."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from kernel.store import outbox, polls
from kernel.types import Fact, Labelled, Payload, ToolResult
from tools.engine import Arguments, CannotDo, OneLine, Preview, ToolContext, tool
from tools.engine.polls import PREFIX, card
from tools.engine.preview import one_line

if TYPE_CHECKING:
    from kernel.store import Session
    from kernel.types import Place

Option = Annotated[OneLine, Field(min_length=1, max_length=34)]


class OpenPoll(Arguments):
    """Where, and what people choose between."""

    channel: str = Field(pattern="^#[^\\s#]{1,80}$", description="The channel's name, like #general")
    question: OneLine = Field(min_length=1, max_length=140, description="What is asked")
    options: list[Option] = Field(min_length=2, max_length=6, description="What people choose between")


def _place(args: OpenPoll, ctx: ToolContext) -> Place:
    here = ctx.facts.place
    place = ctx.directory.channel(args.channel, here.platform, here.tenant)
    if place is None:
        raise CannotDo(f"The team's charter knows no channel {args.channel} here.")
    if len(set(args.options)) < len(args.options):
        raise CannotDo("Two options are the same.")
    return here if place.lane == here.lane else place.in_thread(None)


async def _preview(args: OpenPoll, ctx: ToolContext) -> Preview:
    place = _place(args, ctx)
    return Preview(
        headline=one_line(f"Open a poll in {args.channel}"),
        facts=(Fact(label="Channel", value=args.channel), Fact(label="Question", value=args.question)),
        payloads=(Payload(title="Options", content="\n".join(args.options), language="text"),),
        reversible=False,
        warning="People outside the team read this channel." if place.external else "",
    )


@tool(
    effect="send",
    authority=("channel",),
    free_text=("question", "options"),
    posts_to="channel",
    safe_to_repeat=True,  # the poll and its message are named after the call
    timeout=10,
    preview=_preview,
)
async def open_poll(args: OpenPoll, ctx: ToolContext) -> ToolResult:
    """Ask a channel a question with buttons. Each person has one choice, which they can change until it is closed."""
    place, facts = _place(args, ctx), ctx.facts

    def write(session: Session) -> str:
        for length in (4, 4, 6, 8):
            known = polls.by_id(session, ctx.call_id)
            if known is not None:
                outbox.put(
                    session, ctx.call_id, place, card(known, [], {}), ctx.clock.now(),
                    run_id=facts.run_id, subject=known.ref,
                )  # fmt: skip
                return known.ref
            polls.add(
                session,
                polls.Poll(
                    id=ctx.call_id,
                    ref=f"{PREFIX}{ctx.ids.short(length)}",
                    question=args.question,
                    options=list(args.options),
                    place=place.model_dump(mode="json", exclude_defaults=True),
                    requester=facts.requester.id,
                    run_ref=facts.ref,
                    created_at=ctx.clock.now(),
                ),
            )
        raise CannotDo("No free reference was found. Try again.")

    ref = await ctx.store.write(write)
    sentence = f"The poll {ref} is open in {args.channel}."
    return ToolResult(
        content=sentence,
        pieces=(Labelled(text=sentence, origin="nowhere"),),
        data={"poll": ref},
        summary=one_line(f"Opened a poll in {args.channel}"),
    )
