"""Source: files that people hand over in a channel or a DM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knowledge.engine import audience
from knowledge.engine.blocks import first_heading
from knowledge.engine.documents import Document
from knowledge.engine.reading import Behalf, suffix_of

if TYPE_CHECKING:
    from datetime import datetime

    from kernel.types import Person, Place
    from knowledge.engine.reading import Reader

SOURCE = "upload"


async def upload(
    name: str,
    data: bytes,
    reader: Reader,
    *,
    key: str,
    person: Person,
    author: Person,
    place: Place,
    at: datetime | None = None,
) -> Document:
    """A document from a file that `author` uploaded, read for `person`; NotReadable says why there is none.

    Whoever can read the place can read the document: the channel's readers, or in a DM the person. It is a member's
    text unless an outsider uploaded it, outsiders write in the channel, or a model put it into words. `key` is the
    platform's id of the file.
    """
    suffix_of(name)
    parsed = await reader.read(name, data, Behalf(person.id, place))
    trusted = author.can_decide and not place.external and not parsed.by_model
    return Document(
        source=SOURCE,
        key=key,
        kind="upload",
        title=parsed.title or (first_heading(parsed.text) if parsed.format == "markdown" else "") or name,
        text=parsed.text,
        format=parsed.format,
        readers=(audience.person(person.id) if place.kind == "dm" else audience.channel(place),),
        origin="member_text" if trusted else "outside_text",
        author=author.name,
        written_at=at,
    )
