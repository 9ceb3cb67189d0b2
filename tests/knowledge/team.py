"""People, places and documents that the tests of this room tell their stories with."""

from datetime import UTC, datetime
from typing import Any

from kernel.types import Person, Place
from knowledge.engine.audience import TEAM, Audience, channel, person, role
from knowledge.engine.documents import Document
from knowledge.memory import Fact

ADA = Person(id="ada", name="Ada")
BEN = Person(id="ben", name="Ben")
GUEST = Person(id="web:local:gus", name="Gus", listed=False, can_decide=False)
FINANCE = Place(platform="web", tenant="local", channel="finance")
GENERAL = Place(platform="web", tenant="local", channel="general")
SHARED = Place(platform="slack", tenant="T1", channel="C9", external=True)
DM = Place(platform="web", tenant="local", channel="dm-ada", kind="dm")

IN_GENERAL = Audience.of_channel(GENERAL)
IN_FINANCE = Audience.of_channel(FINANCE)


def document(key: str, text: str, *readers: str, title: str = "", source: str = "upload") -> Document:
    return Document(
        source=source,
        key=key,
        title=title or key,
        text=text,
        format="text",
        readers=readers or (TEAM,),
        origin="member_text",
    )


def fact(text: str, *readers: str, **settings: Any) -> Fact:
    """A fact of Ada's that the team reads."""
    known: dict[str, Any] = {
        "key": text,
        "text": text,
        "readers": readers or (TEAM,),
        "origin": "member_text",
        "author": "Ada",
        "author_id": "ada",
        "at": datetime(2026, 3, 2, 9, tzinfo=UTC),
    }
    return Fact(**(known | settings))


__all__ = [
    "ADA",
    "BEN",
    "DM",
    "FINANCE",
    "GENERAL",
    "GUEST",
    "IN_FINANCE",
    "IN_GENERAL",
    "SHARED",
    "TEAM",
    "Audience",
    "channel",
    "document",
    "fact",
    "person",
    "role",
]
