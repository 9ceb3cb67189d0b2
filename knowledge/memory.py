"""Source: facts that Bosun was told to remember, each a small document of its own."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from kernel import moments
from kernel.types import Frozen
from knowledge.engine.documents import Document, Origin
from knowledge.engine.query import terms
from knowledge.engine.readable import NotReadable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.types import Origin as AnyOrigin

SOURCE = "memory"
MAX_LENGTH = 1_500  # characters: one chunk
FROM_OUTSIDE: frozenset[AnyOrigin] = frozenset({"outside_text", "nowhere"})
FactKind = Literal["fact", "preference", "decision", "correction"]

_SUBJECT = re.compile(r"(?P<about>.{3,100}?)(?:\s+(?:is|are|was|were|has|have|will|must|should)\b|\s*[:=])", re.DOTALL)
_PREFERENCE = re.compile(
    r"(?:i|we)\s+(?:prefer|like|want|would like|need|hate|don.t like)\b|(?:always|never|please)\b|my\b", re.IGNORECASE
)
_DECISION = re.compile(
    r"(?:we|the team)\s+(?:have\s+)?(?:decided|agreed|chose)\b|decision\b|decided\b|agreed\b", re.IGNORECASE
)


class Fact(Frozen):
    """Something to remember."""

    key: str  # the same key is the same fact: a tool call's idempotency key, or a message
    text: str
    about: str = ""  # in a few words; empty: taken from the text
    kind: FactKind | None = None  # None: told from the text
    readers: tuple[str, ...]
    origin: Origin
    author: str  # for people
    author_id: str  # Person id
    source: str = ""  # the run or message that it comes from, for people
    url: str = ""  # opens that
    lane: str = ""  # where it was said
    thread: str = ""
    at: datetime


def document(fact: Fact) -> Document:
    """A fact as a document. Author and date stand in its title, and so in both indexes.

    NotReadable for an empty fact, or one that should be a document.
    """
    text = "\n".join(line.rstrip() for line in fact.text.strip().splitlines())
    if not text:
        raise NotReadable("There is nothing to remember in it.")
    if len(text) > MAX_LENGTH:
        raise NotReadable(f"It is longer than {MAX_LENGTH} characters.", hint="Upload it as a document instead.")
    return Document(
        source=SOURCE,
        key=fact.key,
        kind="memory",
        title=f"{about(fact)} ({fact.author}, {moments.day(fact.at)})",
        text=text,
        format="text",
        readers=fact.readers,
        origin=fact.origin,
        author=fact.author,
        written_at=fact.at,
        url=fact.url,
    )


def about(fact: Fact) -> str:
    """What it is about: as it was said, or the first words of the text."""
    if fact.about.strip():
        return " ".join(fact.about.split())[:120]
    text = " ".join(fact.text.split())
    found = _SUBJECT.match(text)
    return found["about"].strip() if found else " ".join(text.split(" ")[:8])[:120]


def kind_of(fact: Fact) -> FactKind:
    """Its kind, told from its words where nobody has said it."""
    if fact.kind is not None:
        return fact.kind
    text = fact.text.strip()
    if _PREFERENCE.match(text):
        return "preference"
    return "decision" if _DECISION.search(text) else "fact"


def subject(fact: Fact) -> str:
    """What it is about in its plainest form: without grammar, order and plural. Two facts with the same contradict."""
    words = {term for term in terms(about(fact)) if " " not in term}
    plain = sorted({word[:-1] if len(word) > 3 and word.endswith("s") else word for word in words})
    own = f" @{fact.author_id}" if kind_of(fact) == "preference" else ""  # two people may prefer different things
    return " ".join(plain) + own


def origin_of(origins: Iterable[AnyOrigin]) -> Origin:
    """Written by a member only if all of it was; no origins means from outside."""
    labels = frozenset(origins)
    return "member_text" if labels and not labels & FROM_OUTSIDE else "outside_text"
