"""A small team and its rights, as the charter would give them."""

from __future__ import annotations

from kernel.people import Role
from kernel.types import Actor, Person, Place

PEOPLE = (
    Person(id="ann", name="Ann Meier", accounts=("web:local:ann",)),
    Person(id="bo", name="Bo Lindqvist", accounts=("web:local:bo",)),
    Person(id="cy", name="Cy Okafor", accounts=("web:local:cy",)),
    Person(id="dee", name="Dee Rossi", accounts=("web:local:dee",)),
)
ROLES = {
    "requester": Role(name="requester", members=("ann",)),
    "finance": Role(name="finance", members=("bo", "cy")),
    "admin": Role(name="admin", members=("dee",)),
}


class Team:
    """A directory that answers from the two tables above."""

    def people(self) -> tuple[Person, ...]:
        return PEOPLE

    def person(self, actor: Actor) -> Person:
        return self.by_id(actor.user) or Person(id=actor.account, name=actor.name, listed=False, can_decide=False)

    def by_id(self, person_id: str) -> Person | None:
        return next((person for person in PEOPLE if person.id == person_id), None)

    def principal(self, person_id: str) -> str:
        return person_id

    def one_human(self, person_id: str, other_id: str) -> bool:
        return person_id == other_id

    def role(self, name: str) -> Role | None:
        return ROLES.get(name)

    async def holds(self, person: Person, role: str, actor: Actor | None = None) -> bool:
        return person.id in ROLES[role].members

    async def roles_of(self, person: Person, actor: Actor | None = None) -> frozenset[str]:
        return frozenset(name for name, role in ROLES.items() if person.id in role.members)

    async def holders(self, role: str) -> tuple[Person, ...]:
        return tuple(person for person in PEOPLE if person.id in ROLES[role].members)

    def channel(self, name: str, platform: str, tenant: str) -> Place | None:
        return Place(platform=platform, tenant=tenant, channel=name.lstrip("#"))

    async def open_to(self, place: Place, person: Person) -> frozenset[str]:
        return frozenset()

    def channel_name(self, place: Place) -> str:
        return f"#{place.channel}"
