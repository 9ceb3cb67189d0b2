"""A small team for the tests: its people, its channels, and a knowledge base without documents."""

from __future__ import annotations

from typing import Any

from kernel.people import Role
from kernel.types import Actor, Labelled, Person, Place, RunFacts

MIA = Person(id="mia", name="Mia Brandt", accounts=("web:local:mia",))
GENERAL = Place(platform="web", tenant="local", channel="c-general")
CHANNELS = {
    "#general": GENERAL,
    "#finance": Place(platform="web", tenant="local", channel="c-finance"),
    "#partners": Place(platform="web", tenant="local", channel="c-partners", external=True),
}


class Team:
    """A Directory of one person and three channels."""

    def person(self, actor: Actor) -> Person:
        return MIA if actor.account in MIA.accounts else Person(id=actor.account, name=actor.name, listed=False)

    def by_id(self, person_id: str) -> Person | None:
        return MIA if person_id == MIA.id else None

    def role(self, name: str) -> Role | None:
        return Role(name=name, members=(MIA.id,)) if name == "finance" else None

    async def holds(self, person: Person, role: str, actor: Actor | None = None) -> bool:
        return role == "finance" and person.id == MIA.id

    async def roles_of(self, person: Person, actor: Actor | None = None) -> frozenset[str]:
        return frozenset({"finance"}) if person.id == MIA.id else frozenset()

    async def holders(self, role: str) -> tuple[Person, ...]:
        return (MIA,) if role == "finance" else ()

    def channel(self, name: str, platform: str, tenant: str) -> Place | None:
        place = CHANNELS.get(name)
        return place if place is not None and (place.platform, place.tenant) == (platform, tenant) else None

    def channel_name(self, place: Place) -> str:
        return next((name for name, known in CHANNELS.items() if known.lane == place.lane), place.channel)


def facts(*seen: Labelled, typed: tuple[str, ...] = (), **changes: Any) -> RunFacts:
    """A run that Mia started in #general, which has read `seen`."""
    known: dict[str, Any] = {
        "run_id": "01RUN00000000000000000000A",
        "ref": "R-7F3K",
        "segment": 1,
        "agent": "ops",
        "requester": MIA,
        "place": GENERAL,
        "channel_name": "#general",
        "typed": typed,
        "seen": seen,
    }
    return RunFacts(**(known | changes))


class Empty:
    """A knowledge base without documents."""

    async def search(self, query: str, audience: Any, limit: int = 8) -> list[Any]:
        return []

    async def add(self, document: Any) -> Any:
        raise AssertionError("nothing is added in this test")


def no_knowledge() -> Empty:
    """A knowledge base in which nothing is found."""
    return Empty()
