"""Who people are and which roles they hold; the charter says it, platforms answer for the groups that it points to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from kernel.errors import BosunError
from kernel.types import Actor, Frozen, Person, Place


class RoleUnknownError(BosunError):
    """Bosun cannot look up who holds this role right now, so nobody counts as holding it. Try again in a minute."""

    code = "role_unknown"


class Role(Frozen):
    """A role of the charter: the people it names and the members of the platform groups it points to."""

    name: str
    members: tuple[str, ...] = ()  # Person ids
    groups: Mapping[str, str] = {}  # platform -> id of its user group (Slack) or role (Discord)


class GroupSource(Protocol):
    """A platform that can say who is in one of its groups, and who reads one of its channels."""

    async def group_members(self, group: str) -> frozenset[str]:
        """Account keys (`platform:tenant:user`) of the members; raises PlatformError where it cannot be told."""
        ...

    async def may_read(self, place: Place, user: str) -> bool:
        """Whether the platform shows the channel to this account; raises PlatformError where it cannot be told."""
        ...


class Away(Frozen):
    """Somebody is away."""

    person: str  # Person.id
    delegate: str | None  # Person.id of who decides for them meanwhile; None: nobody
    until: datetime


class Directory(Protocol):
    """People, roles and channels of the team, as they are now."""

    def person(self, actor: Actor) -> Person:
        """The person behind an account. Bots, guests and externals come back with `can_decide` False."""
        ...

    def by_id(self, person_id: str) -> Person | None:
        """The person with this id."""
        ...

    def principal(self, person_id: str) -> str:
        """The id of the person whom this one stands for now: an account may have been linked with somebody since."""
        ...

    def one_human(self, person_id: str, other_id: str) -> bool:
        """Whether two ids are one human, for votes: also where their accounts were unlinked not long ago."""
        ...

    def role(self, name: str) -> Role | None:
        """The role with this name."""
        ...

    async def holds(self, person: Person, role: str, actor: Actor | None = None) -> bool:
        """Whether the person holds the role at this moment; RoleUnknownError where a platform cannot be asked.

        `actor` is the account that was used: its payload may carry the role (Discord).
        """
        ...

    async def roles_of(self, person: Person, actor: Actor | None = None) -> frozenset[str]:
        """All roles that the person holds now; a role that cannot be looked up is left out."""
        ...

    async def holders(self, role: str) -> tuple[Person, ...]:
        """Everybody who holds the role; RoleUnknownError where it cannot be told."""
        ...

    def channel(self, name: str, platform: str, tenant: str) -> Place | None:
        """The channel that the charter calls `name` ("#finance") on this platform."""
        ...

    def channel_name(self, place: Place) -> str:
        """What the charter calls this channel ("#finance"); the platform's id where it does not name it."""
        ...

    async def open_to(self, place: Place, person: Person) -> frozenset[str]:
        """Lanes of the charter's channels that everybody reads who will read an answer in `place`.

        In a direct message that is the person alone. A channel of which it cannot be told now is left out.
        """
        ...


class WritingDirectory(Directory, Protocol):
    """The directory with how people are written to."""

    def reach(self, person: Person, platform: str | None = None) -> Actor | None:
        """The account by which the person can be written to now, on `platform` if they are there."""
        ...


class DecisionDirectory(WritingDirectory, Protocol):
    """The directory with what asking people for decisions needs beside."""

    def voter(self, person_id: str) -> Person | None:
        """The person of an id under which somebody voted, also from an account that people.yaml does not list."""
        ...

    def wider(self, home: Place, other: Place) -> bool:
        """Whether somebody may read `other` who may not read `home`, or whether that cannot be told."""
        ...

    def away(self) -> tuple[Away, ...]:
        """Who is away by the charter, now or later."""
        ...

    def everybody(self) -> Sequence[Person]:
        """Everybody who stands in people.yaml."""
        ...
