"""A team for the tests: a directory in memory whose lookups can be made to fail."""

from collections.abc import Sequence

from kernel.people import Away, Role, RoleUnknownError
from kernel.types import Actor, Person, Place


def account(user: str, **more: bool) -> Actor:
    return Actor(platform="web", tenant="local", user=user, name=user.capitalize(), **more)


class Team:
    """Ann asks; Bo and Cy are finance, Lea is legal, Dee is admin. Gus is a guest, Zoe was deactivated."""

    def __init__(self) -> None:
        self.roles: dict[str, set[str]] = {
            "finance": {"bo", "cy"},
            "legal": {"lea", "cy"},
            "admin": {"dee"},
            "interns": {"ida"},
        }
        self.people = {
            name: Person(id=name, name=name.capitalize(), accounts=(f"web:local:{name}",))
            for name in ("ann", "bo", "cy", "dee", "lea", "ida", "ann.lee@acme.com")
        }
        self.people["zoe"] = Person(id="zoe", name="Zoe", can_decide=False)
        self.links = {"slack:T1:U-BO": "bo"}  # a second account of Bo
        self.unlinked: dict[str, str] = {}  # an account that was a person's not long ago
        self.down: set[str] = set()  # roles that cannot be looked up
        self.absent: tuple[Away, ...] = ()  # by the charter
        self.channels = {
            name: Place(platform="web", tenant="local", channel=name.removeprefix("#"))
            for name in ("#general", "#finance", "#approvals", "#bosun")
        }

    def person(self, actor: Actor) -> Person:
        known = self.people.get(self.links.get(actor.account, actor.user if actor.platform == "web" else ""))
        barred = actor.is_bot or actor.is_guest or actor.is_external
        if known is not None:
            return known.model_copy(update={"can_decide": False}) if barred else known
        return Person(id=actor.account, name=actor.name, listed=False, can_decide=not barred)

    def by_id(self, person_id: str) -> Person | None:
        return self.people.get(person_id)

    def principal(self, person_id: str) -> str:
        return self.links.get(person_id, person_id)

    def one_human(self, person_id: str, other_id: str) -> bool:
        one, other = (self.unlinked.get(each, self.principal(each)) for each in (person_id, other_id))
        return one == other

    def role(self, name: str) -> Role | None:
        return Role(name=name, members=tuple(sorted(self.roles[name]))) if name in self.roles else None

    async def holds(self, person: Person, role: str, actor: Actor | None = None) -> bool:
        if role in self.down:
            raise RoleUnknownError
        return person.id in self.roles.get(role, set())

    async def roles_of(self, person: Person, actor: Actor | None = None) -> frozenset[str]:
        return frozenset(role for role, members in self.roles.items() if person.id in members and role not in self.down)

    async def holders(self, role: str) -> tuple[Person, ...]:
        if role in self.down:
            raise RoleUnknownError
        return tuple(self.people[name] for name in sorted(self.roles.get(role, set())))

    def channel(self, name: str, platform: str, tenant: str) -> Place | None:
        return self.channels.get(name)

    async def open_to(self, place: Place, person: Person) -> frozenset[str]:
        return frozenset()

    def channel_name(self, place: Place) -> str:
        return next((name for name, known in self.channels.items() if known.lane == place.lane), "")

    def voter(self, person_id: str) -> Person | None:
        linked = self.principal(person_id)
        if linked.startswith("slack:"):
            return Person(id=linked, name=linked, listed=False)
        return self.people.get(linked)

    def wider(self, home: Place, other: Place) -> bool:
        return home.kind != "channel"

    def away(self) -> tuple[Away, ...]:
        return self.absent

    def reach(self, person: Person, platform: str | None = None) -> Actor | None:
        return account(person.id) if person.accounts else None

    def everybody(self) -> Sequence[Person]:
        return list(self.people.values())
