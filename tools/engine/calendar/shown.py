"""Events as the tools show them: to models as records, to people on a card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kernel.types import Labelled, ToolResult
from tools.engine.fields import From, Returned, Row
from tools.engine.preview import one_line

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from tools.engine.calendar.agenda import Agenda
    from tools.engine.calendar.events import Occurrence


class EventRecord(Returned):
    """An event at one time."""

    event: Annotated[str, From(names=True)]  # its id
    title: Annotated[str, From(title=True)]
    start: str
    end: str
    place: str | None = None
    recurs: str | None = None
    invited: list[str] | None = None


def row(one: Occurrence, calendar: str, zone: ZoneInfo, agenda: Agenda) -> Row:
    """The record of an occurrence, with its label."""
    return Row(
        record=EventRecord(
            event=one.uid,
            title=one.title or "(no title)",
            start=f"{one.start:%Y-%m-%d} (all day)" if one.all_day else when(one.start, zone),
            end=f"{one.end:%Y-%m-%d}" if one.all_day else when(one.end, zone),
            place=one.place or None,
            recurs="yes" if one.recurs else None,
            invited=list(one.invited) or None,
        ),
        origin=agenda.origin(one.mark),
        source=f"event:{calendar}/{one.uid}",
    )


def when(at: datetime, zone: ZoneInfo) -> str:
    """A time there, to the minute, as the tools take it."""
    return f"{at.astimezone(zone):%Y-%m-%dT%H:%M}"


def in_words(at: datetime, zone: ZoneInfo) -> str:
    """A time there, for people."""
    return f"{at.astimezone(zone):%a %d %b %Y %H:%M} ({zone.key})"


def done(sentence: str, uid: str, data: object) -> ToolResult:
    """The result of a call that changed an event."""
    return ToolResult(
        content=f"{sentence} Event: {uid}",
        pieces=(Labelled(text=uid, origin="made_here", field="event", names=True),),
        data=data,
        summary=one_line(sentence, 200),
    )
