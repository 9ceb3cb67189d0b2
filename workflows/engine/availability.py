"""Who of a role can be expected to answer at a time: not away, and not in their quiet hours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from kernel.people import RoleUnknownError
from kernel.types import Frozen

if TYPE_CHECKING:
    from datetime import datetime

    from kernel.types import Person


class Holders(Protocol):
    """Who holds which role."""

    async def holders(self, role: str) -> tuple[Person, ...]:
        """Everybody who holds the role; RoleUnknownError where it cannot be told."""
        ...


class Availability(Frozen):
    """The people of some roles at one time."""

    there: tuple[str, ...] = ()  # "Bo (09:00)": name and time of day where they are
    not_there: tuple[str, ...] = ()  # "Cy (03:00, quiet hours)"
    unknown: tuple[str, ...] = ()  # roles that cannot be looked up now

    def in_words(self) -> str:
        """For people."""
        parts = [f"available then: {', '.join(self.there)}" if self.there else "nobody is available then"]
        if self.not_there:
            parts.append(f"not then: {', '.join(self.not_there)}")
        if self.unknown:
            parts.append(f"cannot be looked up: {', '.join(self.unknown)}")
        return "; ".join(parts)


async def at_time(directory: Holders, roles: tuple[str, ...], at: datetime, zone: str) -> Availability:
    """Who of the roles is available at that time. `zone` is of people whose own is not known."""
    people: dict[str, Person] = {}
    unknown = []
    for role in roles:
        try:
            people |= {person.id: person for person in await directory.holders(role)}
        except RoleUnknownError:
            unknown.append(role)
    there, not_there = [], []
    for person in sorted(people.values(), key=lambda one: one.name):
        local = at.astimezone(ZoneInfo(person.time_zone or zone))
        if is_quiet(person, at, zone):
            not_there.append(f"{person.name} ({local:%H:%M}, quiet hours)")
        else:
            there.append(f"{person.name} ({local:%H:%M})")
    return Availability(there=tuple(there), not_there=tuple(not_there), unknown=tuple(unknown))


def is_quiet(person: Person, at: datetime, zone: str) -> bool:
    """Whether that time is in the quiet hours of the person's day."""
    if person.quiet is None or person.quiet[0] == person.quiet[1]:
        return False
    local = at.astimezone(ZoneInfo(person.time_zone or zone))
    minute, (begin, end) = local.hour * 60 + local.minute, person.quiet
    return begin <= minute < end if begin < end else minute >= begin or minute < end
