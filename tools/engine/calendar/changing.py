"""Changing an event that is there: finding it, and putting it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.engine.calendar import agenda, events
from tools.engine.failure import CannotDo

if TYPE_CHECKING:
    from datetime import datetime

    from kernel.types import Json
    from tools.engine.context import ToolContext


async def found(calendar: str, uid: str, ctx: ToolContext) -> str:
    """The event as it is. CannotDo if it is not there."""
    text = await agenda.agenda_of(ctx).get(calendar, uid)
    if text is None:
        raise CannotDo("There is no such event in this calendar. Look it up with list_events.")
    return text


def occurrence_of(calendar: str, text: str, ctx: ToolContext) -> datetime | None:
    """The one time of a recurring event that is meant; None: all of it."""
    return events.local(text, agenda.zone_of(calendar, ctx)) if text else None


async def turn(calendar: str, uid: str, expected: str, target: str, ctx: ToolContext) -> None:
    """Have the event as `target` instead of as `expected`; empty: not there. CannotDo where somebody has changed it."""
    calendars = agenda.agenda_of(ctx)
    now = await calendars.get(calendar, uid) or ""
    if _same(now, target):
        return
    if not _same(now, expected):
        raise CannotDo("Somebody has changed the event since, so it is left as it is.")
    if target:
        await calendars.put(calendar, uid, target)
    else:
        await calendars.remove(calendar, uid)


def _same(one: str, other: str) -> bool:
    return events.meaning(one) == events.meaning(other) if one and other else one == other


async def put_back(calendar: str, uid: str, data: Json, ctx: ToolContext) -> None:
    """Give the event its earlier state again. CannotDo where somebody has changed it since."""
    await turn(calendar, uid, data["after"], data["before"], ctx)
