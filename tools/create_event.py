"""create_event: put an event into a calendar of the team. Inviting people is invite_to_event."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import Field

from kernel.types import Fact, Json, Payload, ToolResult
from tools.engine import Arguments, CannotDo, OneLine, Preview, ToolContext, labels, said, tool
from tools.engine.calendar import agenda, events
from tools.engine.calendar.shown import done, in_words
from tools.engine.calendar.wording import lines
from tools.engine.preview import one_line

if TYPE_CHECKING:
    from datetime import datetime


class CreateEvent(Arguments):
    """What happens when, in which calendar."""

    calendar: str = Field(min_length=1, max_length=40, description="A person's id, or 'team'")
    title: OneLine = Field(min_length=1, max_length=200, description="What it is")
    start: str = Field(max_length=40, description="In the time zone of whose calendar it is: 2026-03-02T14:00")
    minutes: int = Field(ge=5, le=10_080, description="How long it takes")
    place: OneLine = Field(default="", max_length=200, description="Where, or the link of a call")
    notes: str = Field(default="", max_length=5_000, description="What people should know")
    repeat: str = Field(
        default="",
        max_length=200,
        description="'' for once; daily, weekdays, weekly, monthly, yearly, or a rule: FREQ=WEEKLY;BYDAY=MO;COUNT=8",
    )


def _times(args: CreateEvent, ctx: ToolContext) -> tuple[datetime, datetime]:
    start = events.local(args.start, agenda.zone_of(agenda.known(args.calendar, ctx), ctx))
    return start, start + timedelta(minutes=args.minutes)


def _made(args: CreateEvent, ctx: ToolContext) -> str:
    start, end = _times(args, ctx)
    return events.make(
        uid=_uid(ctx),
        title=args.title,
        start=start,
        end=end,
        place=args.place,
        notes=args.notes,
        repeat=args.repeat,
        mark=labels.of_run(ctx.facts),
        now=ctx.clock.now(),
    )


def _uid(ctx: ToolContext) -> str:
    return f"{ctx.call_id.lower()}@bosun"


async def _preview(args: CreateEvent, ctx: ToolContext) -> Preview:
    ics = _made(args, ctx)
    start, end = _times(args, ctx)
    zone = agenda.zone_of(args.calendar, ctx)
    booked = events.occurrences(await agenda.agenda_of(ctx).between(args.calendar, start, end), start, end)
    facts = [Fact(label="When", value=f"{in_words(start, zone)}, {args.minutes} minutes")]
    facts += [Fact(label="Recurs", value=args.repeat)] if args.repeat else []
    facts += [Fact(label="At that time", value=one_line("; ".join(one.title for one in booked), 200))] if booked else []
    return Preview(
        headline=one_line(f"Put “{args.title}” into the calendar of {args.calendar}"),
        facts=tuple(facts),
        payloads=(Payload(title="Event", content="\n".join(lines(ics, zone)), language="text"),),
    )


async def _undo(args: CreateEvent, data: Json, ctx: ToolContext) -> ToolResult:
    if not await agenda.agenda_of(ctx).remove(args.calendar, data["event"]):
        raise CannotDo("The event is no longer there.")
    return said(f"“{args.title}” is out of the calendar again.", origin="nowhere")


@tool(
    effect="write",
    authority=("calendar",),
    free_text=("title", "place", "notes"),
    safe_to_repeat=True,  # the event is named after the call
    secrets=agenda.secrets,
    timeout=40,
    preview=_preview,
    undo=_undo,
)
async def create_event(args: CreateEvent, ctx: ToolContext) -> ToolResult:
    """Put an event into somebody's calendar or the team's. Nobody is told: invite people with invite_to_event."""
    await agenda.agenda_of(ctx).put(args.calendar, _uid(ctx), _made(args, ctx))
    start, _ = _times(args, ctx)
    when = in_words(start, agenda.zone_of(args.calendar, ctx))
    return done(f"“{args.title}” is in the calendar of {args.calendar}: {when}.", _uid(ctx), {"event": _uid(ctx)})
