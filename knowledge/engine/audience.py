"""Who reads: the readers of a document, and the audience that an answer is written for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kernel.types import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.types import Actor, Person, Place

TEAM = "team"
_READER = re.compile(r"team|(?:channel|person|role):\S(?:.*\S)?")


def channel(place: Place) -> str:
    """The readers of a channel: whoever is in it when a search is made."""
    return f"channel:{place.lane}"


def person(person_id: str) -> str:
    """One person."""
    return f"person:{person_id}"


def role(name: str) -> str:
    """Whoever holds the role when a search is made."""
    return f"role:{name}"


def is_reader(text: str) -> bool:
    """Whether `text` is a reader that an audience can match: "team", "channel:...", "person:..." or "role:..."."""
    return _READER.fullmatch(text) is not None


class Audience(Frozen):
    """Everybody who will see an answer, as the readers that all of them are covered by.

    A document may be used where one of its readers is in `grants`. No grants: nothing may be read.
    """

    grants: frozenset[str] = frozenset()

    @classmethod
    def of_channel(cls, place: Place, *, outsider: bool = False) -> Audience:
        """What every reader of the channel may read: the team's documents, and the channel's own.

        Where outsiders read along (a shared channel, or an `outsider` who asks), the channel's own alone. ValueError
        for a DM: its audience is the person in it.
        """
        if place.kind == "dm":
            raise ValueError("a DM is read by a person: use Audience.of_person")
        own = channel(place)
        return cls(grants=frozenset({own} if place.external or outsider else {own, TEAM}))

    @classmethod
    def of_person(cls, who: Person, roles: Iterable[str] = (), channels: Iterable[str] = ()) -> Audience:
        """What one person may read. `roles` they hold now, `channels` (lanes) they are in now.

        A bot, guest, external or deactivated account is not of the team.
        """
        grants = {person(who.id), *map(role, roles), *(f"channel:{lane}" for lane in channels)}
        if who.can_decide:
            grants.add(TEAM)
        return cls(grants=frozenset(grants))

    @classmethod
    def of(
        cls,
        place: Place,
        who: Person,
        roles: Iterable[str] = (),
        channels: Iterable[str] = (),
        *,
        actor: Actor | None = None,
    ) -> Audience:
        """The audience of an answer in `place` to `who`: the asker in a DM, else everybody in the channel.

        `channels` (lanes) are those that all of them are in now. `actor` is the account that asked; None for a
        workflow. A guest who asks in a channel reads along there; a bot that the charter lets in has no eyes of its
        own.
        """
        if place.kind == "dm":
            return cls.of_person(who, roles, channels)
        if actor is not None and not actor.is_bot and not who.can_decide:
            return cls.of_channel(place, outsider=True)
        return cls(grants=cls.of_channel(place).grants.union(f"channel:{lane}" for lane in channels))

    @property
    def readers(self) -> list[str]:
        """The grants in a fixed order."""
        return sorted(self.grants)
