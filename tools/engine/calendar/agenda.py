"""What the calendar tools ask of the calendars, and which ones the set-up means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from tools.engine.failure import CannotDo

if TYPE_CHECKING:
    from datetime import datetime

    from kernel.types import Origin
    from tools.engine.context import ToolContext
    from tools.engine.setup.file import ToolsFile

TEAM = "team"  # the calendar that is nobody's own


class Agenda(Protocol):
    """Calendars by name. Events are iCalendar text, a recurring one with all its exceptions. CannotDo as it applies."""

    async def between(self, calendar: str, start: datetime, end: datetime) -> list[str]:
        """Every event that may touch that time."""
        ...

    async def get(self, calendar: str, uid: str) -> str | None:
        """One event; None if it is not there."""
        ...

    async def put(self, calendar: str, uid: str, ics: str) -> None:
        """Store an event in place of the one with its uid."""
        ...

    async def remove(self, calendar: str, uid: str) -> bool:
        """Delete an event; False if it is not there."""
        ...

    def origin(self, mark: str) -> Origin:
        """The label of an event, by the mark that it was made with."""
        ...


def agenda_of(ctx: ToolContext) -> Agenda:
    """The team's calendars."""
    if ctx.setup.calendar.url:
        from tools.engine.calendar.server import ServerAgenda

        setup = ctx.setup.calendar
        return ServerAgenda(setup, ctx.secrets[setup.password or ""])
    from tools.engine.calendar.local import LocalAgenda

    return LocalAgenda(ctx.store, ctx.clock)


def secrets(setup: ToolsFile) -> tuple[str, ...]:
    """What a tool needs to reach them."""
    return (setup.calendar.password,) if setup.calendar.url and setup.calendar.password else ()


def known(calendar: str, ctx: ToolContext) -> str:
    """The calendar's name. CannotDo if there is none of it."""
    if ctx.setup.calendar.url:
        if calendar not in ctx.setup.calendar.calendars:
            names = ", ".join(sorted(ctx.setup.calendar.calendars)) or "none"
            raise CannotDo(f"tools.yaml names no such calendar. There are: {names}.")
    elif calendar != TEAM and ctx.directory.by_id(calendar) is None:
        raise CannotDo(f"There is no such calendar. Write '{TEAM}' or the id of a person of the team.")
    return calendar


def zone_of(calendar: str, ctx: ToolContext) -> ZoneInfo:
    """The time zone of whose calendar it is; the requester's for the team's."""
    person = ctx.directory.by_id(calendar) if calendar != TEAM else ctx.facts.requester
    return ZoneInfo((person.time_zone if person is not None else None) or "UTC")
