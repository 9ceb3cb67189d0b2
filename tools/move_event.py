"""move_event: an event takes place at another time; of a recurring one all times, or only one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kernel.types import Fact, Json, ToolResult
from tools.engine import Arguments, Preview, ToolContext, attempts, said, tool
from tools.engine.calendar import agenda, events
from tools.engine.calendar.changing import found, occurrence_of, put_back, turn
from tools.engine.calendar.shown import done, in_words
from tools.engine.calendar.wording import difference
from tools.engine.preview import one_line

if TYPE_CHECKING:
    from datetime import datetime


class MoveEvent(Arguments):
    """Which event, and when it takes place instead."""

    calendar: str = Field(min_length=1, max_length=40, description="A person's id, or 'team'")
    event: str = Field(min_length=1, max_length=255, description="The event's id, from list_events")
    occurrence: str = Field(
        max_length=40, description="Of a recurring event: when the one time begins that is moved; '' for all of it"
    )
    start: str = Field(max_length=40, description="When it begins instead, in the calendar's zone: 2026-03-02T14:00")
    minutes: int = Field(default=0, ge=0, le=10_080, description="How long it takes; 0: as long as before")


def _start(args: MoveEvent, ctx: ToolContext) -> datetime:
    return events.local(args.start, agenda.zone_of(agenda.known(args.calendar, ctx), ctx))


async def _plan(args: MoveEvent, ctx: ToolContext) -> Json:
    start = _start(args, ctx)
    before = await found(args.calendar, args.event, ctx)
    at = occurrence_of(args.calendar, args.occurrence, ctx)
    return {"before": before, "after": events.move(before, at, start, args.minutes or None, ctx.clock.now())}


async def _preview(args: MoveEvent, ctx: ToolContext) -> Preview:
    start, plan = _start(args, ctx), await _plan(args, ctx)
    at, one = occurrence_of(args.calendar, args.occurrence, ctx), events.first(plan["before"])
    zone = agenda.zone_of(args.calendar, ctx)
    invited = ", ".join(one.invited)
    return Preview(
        headline=one_line(f"Move “{one.title}” to {in_words(start, zone)}"),
        facts=(
            Fact(label="Before", value=in_words(at or one.start, zone)),
            Fact(label="Now", value=in_words(start, zone)),
            *((Fact(label="Moves", value="only this time" if at else "every time"),) if one.recurs else ()),
            *((Fact(label="Invited", value=one_line(invited, 200)),) if invited else ()),
        ),
        payloads=(difference(plan["before"], plan["after"], zone),),
    )


async def _undo(args: MoveEvent, data: Json, ctx: ToolContext) -> ToolResult:
    await put_back(args.calendar, args.event, data, ctx)
    return said("The event is at its earlier time again.", origin="nowhere")


@tool(
    effect="write",
    authority=("calendar", "event"),
    safe_to_repeat=True,  # what is at its time already is left there
    secrets=agenda.secrets,
    timeout=40,
    preview=_preview,
    undo=_undo,
)
async def move_event(args: MoveEvent, ctx: ToolContext) -> ToolResult:
    """Move an event to another time. People who were invited are not told: send them the invitation again."""
    plan = await attempts.planned(ctx, "move_event", lambda: _plan(args, ctx))
    await turn(args.calendar, args.event, plan["before"], plan["after"], ctx)
    when = in_words(_start(args, ctx), agenda.zone_of(args.calendar, ctx))
    return done(f"“{events.first(plan['before']).title}” is moved to {when}.", args.event, plan)
