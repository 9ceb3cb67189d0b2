"""list_events: what happens in a calendar."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import Field

from tools.engine import Arguments, CannotDo, ToolContext, records, tool
from tools.engine.calendar import agenda, events
from tools.engine.calendar.shown import EventRecord, row

if TYPE_CHECKING:
    from kernel.types import ToolResult

LONGEST = timedelta(days=366)


class ListEvents(Arguments):
    """Which calendar, and when."""

    calendar: str = Field(min_length=1, max_length=40, description="A person's id, or 'team'")
    start: str = Field(max_length=40, description="From when, in the calendar's time zone: 2026-03-02T00:00")
    end: str = Field(max_length=40, description="Until when: 2026-03-09T00:00")
    words: str = Field(default="", max_length=200, description="Words that the title or place contain; '' for all")


@tool(effect="read", look_up=("words",), returns=EventRecord, secrets=agenda.secrets, timeout=40)
async def list_events(args: ListEvents, ctx: ToolContext) -> ToolResult:
    """List the events of a calendar, each time of a recurring one by itself. Use it before you move or cancel one."""
    calendar = agenda.known(args.calendar, ctx)
    zone, calendars = agenda.zone_of(calendar, ctx), agenda.agenda_of(ctx)
    start, end = events.local(args.start, zone), events.local(args.end, zone)
    if not start < end <= start + LONGEST:
        raise CannotDo("The end has to be after the start, and at most a year later.")
    texts = await calendars.between(calendar, start, end)
    found = await asyncio.to_thread(events.occurrences, texts, start, end)
    words = args.words.lower().split()
    fitting = [one for one in found if all(word in f"{one.title} {one.place}".lower() for word in words)]
    return records(
        [row(one, calendar, zone, calendars) for one in fitting],
        summary=f"Found {len(fitting)} event{'' if len(fitting) == 1 else 's'}",
        empty="There is nothing in the calendar at that time.",
        note=f"Times are in {zone.key}.",
    )
