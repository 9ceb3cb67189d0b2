"""Calendars in our own tables, for a team without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.store import calendar as rows
from tools.engine.calendar import events

if TYPE_CHECKING:
    from datetime import datetime

    from kernel.clock import Clock
    from kernel.store import Store
    from kernel.types import Origin


class LocalAgenda:
    """`agenda.Agenda` in the database."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def between(self, calendar: str, start: datetime, end: datetime) -> list[str]:
        """Every event that may touch that time."""
        found = await self._store.read(lambda session: rows.between(session, calendar, start, end))
        return [row.ics for row in found]

    async def get(self, calendar: str, uid: str) -> str | None:
        """One event."""
        row = await self._store.read(lambda session: rows.get(session, calendar, uid))
        return None if row is None else row.ics

    async def put(self, calendar: str, uid: str, ics: str) -> None:
        """Store an event."""
        first, last = events.span(ics)
        row = rows.CalendarEvent(
            uid=uid, calendar=calendar, ics=ics, starts_at=first, ends_at=last, changed_at=self._clock.now()
        )
        await self._store.write(lambda session: rows.put(session, row))

    async def remove(self, calendar: str, uid: str) -> bool:
        """Delete an event."""
        return await self._store.write(lambda session: rows.remove(session, calendar, uid))

    def origin(self, mark: str) -> Origin:
        """Only Bosun writes here, so the mark is the label of the run that did."""
        return "member_text" if mark == "member_text" else "outside_text"
