"""Source: a calendar as an .ics file or address. Every event is a document: what, when, where, with whom."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from knowledge.engine.documents import Document
from knowledge.engine.hashing import content_hash
from knowledge.engine.source import Item, SourceAway
from knowledge.engine.source_settings import SourceSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from knowledge.engine.source_settings import Surroundings


class Settings(SourceSettings):
    """A calendar."""

    kind: Literal["calendar"]
    url: str  # of the .ics, or its path below the charter's knowledge folder
    user: str = ""
    password: str = ""  # name of the secret


class Calendar:
    """The events of a calendar; one that repeats is one document."""

    kind = "calendar"
    complete = True

    def __init__(self, settings: Settings, around: Surroundings) -> None:
        self.name = f"calendar:{settings.name}"
        self.title = settings.url
        self.readers = around.readers(settings)
        self._settings = settings
        self._around = around

    async def items(self) -> AsyncIterator[Item]:
        import icalendar

        data = await self._data()
        try:
            parsed: Any = await asyncio.to_thread(icalendar.Calendar.from_ical, data)
        except ValueError as error:
            raise SourceAway(f"{self._settings.url} is no calendar that can be read.") from error
        self.title = str(parsed.get("X-WR-CALNAME") or self.title)
        for event in parsed.walk("VEVENT"):
            start = event.get("DTSTART")
            moved = event.get("RECURRENCE-ID")
            key = f"{event.get('UID', '')}{f'/{moved.to_ical().decode()}' if moved else ''}"
            if start is not None:
                text = _text(event)
                yield Item(key=key, version=content_hash(text), load=partial(self._load, key, event, text))

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

    async def _load(self, key: str, event: Any, text: str) -> Document:
        return Document(
            source=self.name,
            key=key,
            kind="event",
            title=f"{_words(event.get('SUMMARY')) or 'Event'} ({_day(event['DTSTART'].dt)})"[:200],
            text=text,
            format="text",
            readers=self.readers,
            origin="outside_text",  # anybody can send an invitation
            written_at=_moment(event),
            url=_words(event.get("URL")),
        )


def open_source(settings: Settings, around: Surroundings) -> Calendar:
    """The calendar that the charter names."""
    return Calendar(settings, around)


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


def _day(at: date) -> str:
    return f"{at.day} {at:%B %Y}"


def _when(at: date) -> str:
    return f"{_day(at)}, {at:%H:%M %Z}".strip() if isinstance(at, datetime) else _day(at)


def _moment(event: Any) -> datetime | None:
    changed = event.get("LAST-MODIFIED") or event.get("DTSTAMP")
    at = changed.dt if changed is not None else None
    return at.astimezone(UTC) if isinstance(at, datetime) and at.tzinfo else None
