"""Which runs a person may see: their own, and those of channels that they can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.engine.directory import TeamDirectory
    from kernel.store.runs import Run
    from kernel.types import Person, Place


def may_see(directory: TeamDirectory, person: Person, run: Run) -> bool:
    """Whether the person may know of the run and of what was asked in it."""
    return directory.principal(run.requester) == person.id or reads(directory, person, run.where)


def charter_name(directory: TeamDirectory, place: Place) -> str:
    """The channel as the charter calls it; empty for what it does not name, which counts as private."""
    name = directory.channel_name(place)
    return name if place.kind == "channel" and name in directory.charter().channels else ""


def reads(directory: TeamDirectory, person: Person, place: Place) -> bool:
    """Whether it is a channel of the charter that this person reads."""
    name = charter_name(directory, place)
    if not name:
        return False
    readers = directory.readers(name)
    return readers is None or person.id in readers


def reading_in(here: Place, directory: TeamDirectory, person: Person) -> Callable[[Place], bool]:
    """What a person who says or presses something `here` can read."""
    return lambda place: place.lane == here.lane or reads(directory, person, place)
