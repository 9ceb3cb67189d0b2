"""Source: calendars, of Bosun itself or an .ics. Every event is a document: what, when, where, with whom."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import model_validator

from kernel import moments
from kernel.store import calendar as rows
from knowledge.engine.audience import TEAM
from knowledge.engine.documents import Document, Origin
from knowledge.engine.hashing import content_hash
from knowledge.engine.source import Item, SourceAway
from knowledge.engine.source_settings import SourceSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from knowledge.engine.source_settings import Surroundings


class Settings(SourceSettings):
    """A calendar: an .ics, or some of those that Bosun keeps itself."""

    kind: Literal["calendar"]
    url: str = ""  # of the .ics, or its path below the charter's knowledge folder
    user: str = ""
    password: str = ""  # name of the secret
    calendars: tuple[str, ...] = ()  # Bosun's own: "team", or the id of a person

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.url) == bool(self.calendars):
            raise ValueError("needs a url, or calendars that Bosun keeps: [team]")
        return self


class Calendar:
    """The events of a calendar; one that repeats is one document."""

    kind = "calendar"
    complete = True

    def __init__(self, settings: Settings, around: Surroundings) -> None:
        self.name = f"calendar:{settings.name}"
        self.title = settings.url or f"Calendars: {', '.join(settings.calendars)}"
        self.readers = around.readers(settings)
        self._settings = settings
        self._around = around

    async def items(self) -> AsyncIterator[Item]:
        if self._settings.calendars:
            async for item in self._own():
                yield item
            return
        parsed = await self._parsed(await self._data())
        self.title = str(parsed.get("X-WR-CALNAME") or self.title)
        for event in parsed.walk("VEVENT"):
            if (found := self._item(event)) is not None:
                yield found

    async def _own(self) -> AsyncIterator[Item]:
        """What stands in Bosun's own tables, with the label of the run that wrote it."""
        names = self._settings.calendars
        kept = await self._around.store.read(
            lambda session: [row for name in names for row in rows.every(session, name)]
        )
        for row in kept:
            before = f"{row.calendar}/" if row.calendar != TEAM else ""
            for event in (await self._parsed(row.ics.encode())).walk("VEVENT"):
                if (found := self._item(event, _origin(event), row.changed_at, before)) is not None:
                    yield found

    async def _parsed(self, data: bytes) -> Any:
        import icalendar

        try:
            return await asyncio.to_thread(icalendar.Calendar.from_ical, data)
        except ValueError as error:
            raise SourceAway(f"{self.title} is no calendar that can be read.") from error

    def _item(
        self, event: Any, origin: Origin = "outside_text", at: datetime | None = None, before: str = ""
    ) -> Item | None:
        """An event; None for one without a time. Anybody can send an invitation, so it is text from outside."""
        if event.get("DTSTART") is None:
            return None
        moved = event.get("RECURRENCE-ID")
        key = f"{before}{event.get('UID', '')}{f'/{moved.to_ical().decode()}' if moved else ''}"
        document = Document(
            source=self.name,
            key=key,
            kind="event",
            title=f"{_words(event.get('SUMMARY')) or 'Event'} ({moments.day(event['DTSTART'].dt)})"[:200],
            text=_text(event),
            format="text",
            readers=self.readers,
            origin=origin,
            written_at=at or _moment(event),
            url=_words(event.get("URL")),
        )
        return Item(key=key, version=content_hash(document.text, origin), load=partial(_ready, document))

    async def _data(self) -> bytes:
        if self._settings.url.startswith(("http://", "https://")):
            password = self._around.secret(self._settings.password) if self._settings.password else ""
            auth = (self._settings.user, password or "") if self._settings.user else None
            return (await self._around.web.fetch(self._settings.url, auth=auth)).content
        path = Path(self._settings.url)
        path = path if path.is_absolute() else self._around.charter / "knowledge" / path
        try:
            return await asyncio.to_thread(path.read_bytes)
        except OSError as error:
            raise SourceAway(f"{path} cannot be read: {error.strerror}.") from error


def open_source(settings: Settings, around: Surroundings) -> Calendar:
    """The calendar that the charter names."""
    return Calendar(settings, around)


async def _ready(document: Document) -> Document:
    return document


def _origin(event: Any) -> Origin:
    """Only Bosun writes to its own calendars, so the mark is the label of the run that did."""
    return "member_text" if str(event.get(rows.ORIGIN, "")) == "member_text" else "outside_text"


def _text(event: Any) -> str:
    start, end = event["DTSTART"].dt, event.get("DTEND")
    people = event.get("ATTENDEE") or []
    named = [_person(each) for each in (people if isinstance(people, list) else [people])]
    lines = [
        ("", _words(event.get("SUMMARY"))),
        ("When", f"{_when(start)}{f' to {_when(end.dt)}' if end is not None else ''}"),
        ("Repeats", event["RRULE"].to_ical().decode() if event.get("RRULE") else ""),
        ("Where", _words(event.get("LOCATION"))),
        ("Organised by", _person(event["ORGANIZER"]) if event.get("ORGANIZER") else ""),
        ("With", ", ".join(filter(None, named))),
        ("State", _words(event.get("STATUS")).lower()),
        ("", str(event.get("DESCRIPTION") or "").strip()),
    ]
    return "\n".join(f"{label}: {value}" if label else value for label, value in lines if value)


def _person(address: Any) -> str:
    return _words(getattr(address, "params", {}).get("CN") or str(address).removeprefix("mailto:"))


def _words(value: object) -> str:
    return " ".join(str(value or "").split())


def _when(at: date) -> str:
    return f"{moments.day(at)}, {at:%H:%M %Z}".strip() if isinstance(at, datetime) else moments.day(at)


def _moment(event: Any) -> datetime | None:
    changed = event.get("LAST-MODIFIED") or event.get("DTSTAMP")
    at = changed.dt if changed is not None else None
    return at.astimezone(UTC) if isinstance(at, datetime) and at.tzinfo else None
