"""find_free_time: when several people have time, across time zones."""

from __future__ import annotations

import asyncio
from datetime import time, timedelta
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from kernel.types import Labelled, ToolResult
from tools.engine import Arguments, CannotDo, ToolContext, tool
from tools.engine.calendar import agenda, events
from tools.engine.calendar.free import Who, slots
from tools.engine.calendar.shown import in_words, when

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

LONGEST = timedelta(days=62)
Id = Annotated[str, Field(min_length=1, max_length=40)]


class FindFreeTime(Arguments):
    """Whose time, how much of it, and when."""

    people: list[Id] = Field(min_length=1, max_length=20, description="Ids of people, as in ['ann', 'bo']")
    minutes: int = Field(ge=15, le=600, description="How long")
    start: str = Field(max_length=40, description="Not before, in the requester's time zone: 2026-03-02T00:00")
    end: str = Field(max_length=40, description="Not after: 2026-03-07T00:00")
    first_hour: int = Field(default=9, ge=0, le=23, description="When work begins, for each in their own time zone")
    last_hour: int = Field(default=17, ge=1, le=23, description="When it ends")


@tool(effect="read", secrets=agenda.secrets, timeout=60)
async def find_free_time(args: FindFreeTime, ctx: ToolContext) -> ToolResult:
    """Find times that suit everybody: within each one's working hours, on working days, while nothing is booked."""
    zone = agenda.zone_of(agenda.TEAM, ctx)
    start, end = events.local(args.start, zone), events.local(args.end, zone)
    if not start < end <= start + LONGEST or args.first_hour >= args.last_hour:
        raise CannotDo("The end has to be after the start, and at most two months later.")
    people = {name: await _who(agenda.known(name, ctx), start, end, ctx) for name in args.people}
    length, hours = timedelta(minutes=args.minutes), (time(args.first_hour), time(args.last_hour))
    found = slots(people, start, end, length, hours=hours, most=10)
    if not found:
        text = "There is no time that suits everybody. Ask for another week, or for less time."
        return ToolResult(content=text, pieces=(Labelled(text=text, origin="nowhere"),), summary="No common time")
    lines = [_line(at, zone, people) for at in found]
    return ToolResult(
        content="\n".join(lines),
        pieces=tuple(
            Labelled(text=when(at, zone), origin="made_here", field="start", record=number)
            for number, at in enumerate(found, 1)
        ),
        summary=f"Found {len(found)} time{'' if len(found) == 1 else 's'}",
    )


async def _who(name: str, start: datetime, end: datetime, ctx: ToolContext) -> Who:
    texts = await agenda.agenda_of(ctx).between(name, start, end)
    found = await asyncio.to_thread(events.occurrences, texts, start, end)
    booked = [(one.start, one.end) for one in found if one.busy]
    return Who(zone=agenda.zone_of(name, ctx), busy=tuple(booked))


def _line(at: datetime, zone: ZoneInfo, people: dict[str, Who]) -> str:
    others = dict.fromkeys(who.zone for who in people.values() if who.zone.key != zone.key)
    there = "".join(f" = {at.astimezone(other):%H:%M} {other.key}" for other in others)
    return f"{when(at, zone)} | {in_words(at, zone)}{there}"
