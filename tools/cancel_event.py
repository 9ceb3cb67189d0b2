"""cancel_event: an event is taken out of a calendar; of a recurring one all of it, or one time."""

from __future__ import annotations

from pydantic import Field

from kernel.types import Fact, Json, ToolResult
from tools.engine import Arguments, Preview, ToolContext, attempts, said, tool
from tools.engine.calendar import agenda, events
from tools.engine.calendar.changing import found, occurrence_of, put_back, turn
from tools.engine.calendar.shown import done, in_words
from tools.engine.calendar.wording import difference
from tools.engine.preview import one_line


class CancelEvent(Arguments):
    """Which event."""

    calendar: str = Field(min_length=1, max_length=40, description="A person's id, or 'team'")
    event: str = Field(min_length=1, max_length=255, description="The event's id, from list_events")
    occurrence: str = Field(
        max_length=40, description="Of a recurring event: when the one time begins that is cancelled; '' for all of it"
    )


async def _plan(args: CancelEvent, ctx: ToolContext) -> Json:
    before = await found(agenda.known(args.calendar, ctx), args.event, ctx)
    at = occurrence_of(args.calendar, args.occurrence, ctx)
    return {"before": before, "after": events.cancel(before, at, ctx.clock.now()) if at is not None else ""}


async def _preview(args: CancelEvent, ctx: ToolContext) -> Preview:
    plan = await _plan(args, ctx)
    at, one = occurrence_of(args.calendar, args.occurrence, ctx), events.first(plan["before"])
    zone = agenda.zone_of(args.calendar, ctx)
    return Preview(
        headline=one_line(f"Cancel “{one.title}”"),
        facts=(
            Fact(label="When", value=in_words(at or one.start, zone)),
            *((Fact(label="Cancels", value="only this time" if at else "every time"),) if one.recurs else ()),
            *((Fact(label="Invited", value=one_line(", ".join(one.invited), 200)),) if one.invited else ()),
        ),
        payloads=(difference(plan["before"], plan["after"], zone),),
    )


async def _undo(args: CancelEvent, data: Json, ctx: ToolContext) -> ToolResult:
    await put_back(args.calendar, args.event, data, ctx)
    return said("The event is in the calendar again.", origin="nowhere")


@tool(
    effect="write",
    authority=("calendar", "event"),
    safe_to_repeat=True,  # what is cancelled stays so
    secrets=agenda.secrets,
    timeout=40,
    preview=_preview,
    undo=_undo,
)
async def cancel_event(args: CancelEvent, ctx: ToolContext) -> ToolResult:
    """Cancel an event, or one time of a recurring one. People who were invited are not told by this."""
    plan = await attempts.planned(ctx, "cancel_event", lambda: _plan(args, ctx))
    await turn(args.calendar, args.event, plan["before"], plan["after"], ctx)
    return done(f"“{events.first(plan['before']).title}” is cancelled.", args.event, plan)
