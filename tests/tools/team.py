"""A small team for the tests: its people, its channels, and a few notes."""

from __future__ import annotations

from typing import Any

from kernel.people import Role
from kernel.types import Actor, Labelled, Person, Place, RunFacts
from knowledge.engine.audience import Audience
from knowledge.engine.documents import AddResult, Document, Passage, SearchResult
from knowledge.engine.memories import Remembered
from knowledge.engine.reading import Reader
from knowledge.memory import Fact, document

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

    def principal(self, person_id: str) -> str:
        return person_id

    def one_human(self, person_id: str, other_id: str) -> bool:
        return person_id == other_id

    def reach(self, person: Person, platform: str | None = None) -> Actor | None:
        return Actor(platform="web", tenant="local", user=person.id, name=person.name) if person.listed else None

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

    async def open_to(self, place: Place, person: Person) -> frozenset[str]:
        return frozenset({CHANNELS["#finance"].lane}) if place.kind == "dm" and person.id == MIA.id else frozenset()

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


class Notes:
    """A Recall over a few passages: finds those that contain the query and that the audience may read."""

    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}

    async def add(self, document: Document) -> AddResult:
        changed = self.documents.get(document.key) != document
        self.documents[document.key] = document
        return AddResult(document_id=f"d-{document.key}", changed=changed, chunks=1)

    async def remember(self, fact: Fact, *, instead: str = "") -> Remembered:
        made = document(fact)
        older = [key for key, known in self.documents.items() if known.kind == "memory" and key != fact.key]
        replaced = tuple(key for key in older if self.documents[key].title.startswith(f"{fact.about} ("))
        said = tuple(self.documents.pop(key).text for key in replaced)
        self.documents[fact.key] = made.model_copy(update={"title": fact.about})
        return Remembered(
            id=f"d-{fact.key}",
            ref="M-TEST",
            kind=fact.kind or "fact",
            about=fact.about,
            text=fact.text,
            author=fact.author,
            author_id=fact.author_id,
            source=fact.source,
            url=fact.url,
            readers=fact.readers,
            on=fact.at.date(),
            day="2 March 2026",
            replaced=said,
        )

    async def text_of(self, name: str, data: bytes) -> str:
        return (await Reader().read(name, data)).text

    async def search(self, query: str, audience: Audience, limit: int) -> SearchResult:
        fitting = [document for document in self.documents.values() if query in document.text]
        readable = [document for document in fitting if audience.grants.intersection(document.readers)]
        passages = tuple(_passage(document) for document in readable[:limit])
        return SearchResult(passages=passages, documents=len(self.documents), withheld=len(readable) < len(fitting))


def _passage(document: Document) -> Passage:
    return Passage(
        document_id=f"d-{document.key}",
        source=document.source,
        key=document.key,
        number=1,
        title=document.title,
        headings=("Rules",),
        text=document.text,
        origin=document.origin,
        author=document.author,
        updated_at=document.written_at,
        score=1.0,
    )
