"""read_request: an earlier request of this channel or direct message, with its answer."""

from __future__ import annotations

from pydantic import Field

from kernel import moments
from kernel.store import personal, work_done
from kernel.types import Labelled, Source, ToolResult
from tools.engine import Arguments, CannotDo, ToolContext, tool
from tools.engine.preview import one_line

LONGEST = 12_000  # characters of each


class ReadRequest(Arguments):
    """Which one."""

    ref: str = Field(pattern=r"^[Rr]-[0-9A-Za-z]{2,40}$", description="The reference of the request, like R-7F3K")


@tool(effect="read", timeout=20)
async def read_request(args: ReadRequest, ctx: ToolContext) -> ToolResult:
    """Read an earlier request of this channel or direct message with its answer, so that you go on from it."""
    place = ctx.facts.place
    run = await ctx.store.read(lambda session: work_done.readable_run(session, args.ref.upper(), place))
    if run is None:
        raise CannotDo(f"There is no finished request {args.ref.upper()} in this conversation.")
    marked = await ctx.store.read(lambda session: personal.marked(session, [personal.of_run(run.ref)]))
    by = (run.actor.name if run.actor is not None else "") or run.requester
    answer = (run.answer or f"(It ended without an answer: {run.state}.)")[:LONGEST]
    text = f"{by}, {moments.day(run.created_at)}: {run.request[:LONGEST]}\n\n{run.agent} answered:\n{answer}"
    return ToolResult(
        content=text,
        pieces=(Labelled(text=text, origin="outside_text", source=run.ref, personal=bool(marked)),),
        sources=(Source(number=1, title=one_line(f"{run.ref}: {run.request}", 120), quote=answer[:2_000]),),
        summary=f"Read {run.ref}",
    )
