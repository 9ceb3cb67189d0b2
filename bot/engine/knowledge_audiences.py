"""Whose eyes an operator searches with: the team's, a person's or a channel's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine.directory import TeamDirectory
from bot.engine.knowledge_overview import personal_audience
from kernel.clock import SystemClock
from kernel.errors import NotFound
from knowledge.engine.audience import TEAM, Audience

if TYPE_CHECKING:
    from bot.engine.charter import Charter


async def audience_of(charter: Charter, *, person: str | None, channel: str | None) -> Audience:
    """The audience; NotFound for somebody or something that the charter does not name. Groups count for nobody."""
    directory = TeamDirectory(lambda: charter, SystemClock())
    if channel is not None:
        place = directory.channel(f"#{channel.lstrip('#')}", "web", "local")
        if place is None:
            raise NotFound(f"The charter names no channel {channel}.", hint=f"It names {', '.join(charter.channels)}.")
        return Audience.of_channel(place)
    if person is None:
        return Audience(grants=frozenset({TEAM}))
    found = directory.by_id(person)
    if found is None:
        raise NotFound(f"There is nobody {person!r} in people.yaml.", hint=f"There are {', '.join(charter.people)}.")
    return await personal_audience(directory, found)
