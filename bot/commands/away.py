"""`delegate`, `away`, `back`: who decides for somebody who is away."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.engine.text_command import TextCommand
from kernel.errors import RefusedError

if TYPE_CHECKING:
    from bot.engine.directory import TeamDirectory
    from bot.engine.text_command import Asked, Office
    from kernel.people import Away
    from kernel.types import Person

DATE = r"(?P<until>\d{4}-\d{2}-\d{2})"


async def delegate(asked: Asked, office: Office) -> str:
    """Somebody else decides for whoever says it, until the day on which they are back."""
    stand_in = _named(office.directory, asked.words["who"])
    away = await office.absences.leave(asked.person, stand_in, _day(asked), asked.person.id)
    return f"{stand_in.name} decides for you until {_until(away, asked.person)}. Say `back` when you are here again."


async def away(asked: Asked, office: Office) -> str:
    """Whoever says it is away and nobody decides for them; without a date: who is away."""
    if "until" not in asked.words:
        return await _listed(office)
    left = await office.absences.leave(asked.person, None, _day(asked), asked.person.id)
    return (
        f"You are away until {_until(left, asked.person)}, and nobody decides for you: nothing is sent to you. "
        f"Say `back` when you are here again."
    )


async def back(asked: Asked, office: Office) -> str:
    """Whoever says it is here again."""
    if await office.absences.come_back(asked.person, asked.person.id):
        return "Welcome back. You decide for yourself again."
    if asked.person.id in await office.absences.by_person():
        return "people.yaml says that you are away; whoever keeps that file can change it."
    return "You were not away."


async def _listed(office: Office) -> str:
    found = [(office.directory.by_id(one.person), one) for one in (await office.absences.by_person()).values()]
    lines = [f"- {person.name} until {_until(one, person)}, {_for(office, one)}" for person, one in found if person]
    return "\n".join(["Away:", "", *lines]) if lines else "Nobody is away."


def _for(office: Office, one: Away) -> str:
    stand_in = office.directory.by_id(one.delegate) if one.delegate else None
    return f"{stand_in.name} decides for them" if stand_in else "nobody decides for them"


def _day(asked: Asked) -> datetime:
    """The beginning of the day, where the person is. RefusedError where there is no such day."""
    try:
        day = date.fromisoformat(asked.words["until"])
    except ValueError:
        raise RefusedError(f"There is no day {asked.words['until']}. Write it as 2026-12-01.") from None
    return datetime.combine(day, time.min, _zone(asked.person)).astimezone(UTC)


def _until(one: Away, person: Person) -> str:
    return f"{one.until.astimezone(_zone(person)):%d %b %Y %H:%M}"


def _zone(person: Person) -> ZoneInfo:
    return ZoneInfo(person.time_zone or "UTC")


def _named(directory: TeamDirectory, name: str) -> Person:
    """The person of people.yaml with this key or name. RefusedError where it is not exactly one."""
    wanted = name.strip().removeprefix("@").casefold()
    found = [one for one in directory.everybody() if wanted in {one.id.casefold(), one.name.casefold()}]
    if len(found) != 1:
        known = ", ".join(one.name for one in directory.everybody())
        raise RefusedError(f"“{name.strip()[:40]}” is not exactly one person of people.yaml. There are: {known[:500]}.")
    return found[0]


TOPIC = "approvals"
COMMANDS = (
    TextCommand(
        name="delegate",
        shape=rf"delegate\s+(?:to\s+)?(?P<who>.+?)\s+until\s+{DATE}",
        run=delegate,
        usage="to Cy until 2026-12-01",
        place=27,
        acting=True,
        personal=True,
        does="let somebody decide for you while you are away",
    ),
    TextCommand(
        name="away",
        shape=rf"away(?:\s+until\s+{DATE})?",
        run=away,
        usage="until 2026-12-01",
        place=28,
        acting=True,
        personal=True,
        does="be away without a delegate; `away` alone: see who is",
    ),
    TextCommand(
        name="back", shape="back", run=back, place=29, acting=True, personal=True, does="decide for yourself again"
    ),
)
