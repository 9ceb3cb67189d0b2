"""What people say about their absences, and how it is told: the same for commands and for the dashboard's buttons."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from kernel.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.engine.text_command import Absent
    from kernel.people import Away
    from kernel.types import Person


async def leave(absences: Absent, person: Person, stand_in: Person | None, until: str) -> str:
    """The person is away until this day. RefusedError where that makes no sense."""
    away = await absences.leave(person, stand_in, day(until, person), person.id)
    until = until_in_words(away, person)
    if stand_in is not None:
        return f"{stand_in.name} decides for you until {until}. Say `back` when you are here again."
    return (
        f"You are away until {until}, and nobody decides for you: nothing is sent to you. Say `back` when you are here "
        "again."
    )


async def come_back(absences: Absent, person: Person) -> str:
    """The person is here again."""
    if await absences.come_back(person, person.id):
        return "Welcome back. You decide for yourself again."
    if person.id in await absences.by_person():
        return "people.yaml says that you are away; whoever keeps that file can change it."
    return "You were not away."


def day(text: str, person: Person) -> datetime:
    """The beginning of the day, where the person is. RefusedError where there is no such day."""
    try:
        found = date.fromisoformat(text.strip())
    except ValueError:
        raise RefusedError(f"There is no day {text.strip()[:40]}. Write it as 2026-12-01.") from None
    return datetime.combine(found, time.min, zone(person)).astimezone(UTC)


def until_in_words(away: Away, person: Person) -> str:
    """When it ends, where the person is."""
    return f"{away.until.astimezone(zone(person)):%d %b %Y %H:%M}"


def zone(person: Person) -> ZoneInfo:
    """Where the person is."""
    return ZoneInfo(person.time_zone or "UTC")


def named(name: str, everybody: Sequence[Person]) -> Person:
    """The person of people.yaml with this key or name. RefusedError where it is not exactly one."""
    wanted = name.strip().removeprefix("@").casefold()
    found = [one for one in everybody if wanted in {one.id.casefold(), one.name.casefold()}]
    if len(found) != 1:
        known = ", ".join(one.name for one in everybody)
        raise RefusedError(f"“{name.strip()[:40]}” is not exactly one person of people.yaml. There are: {known[:500]}.")
    return found[0]
