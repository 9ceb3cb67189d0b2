"""The values of the knowledge room: what goes in, what is found, what is said about it. No behaviour."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from kernel.types import Frozen, Source
from knowledge.engine.readable import Format

Kind = Literal[
    "file", "upload", "memory", "chat", "web", "code", "feed", "mail", "event", "record", "decision", "output"
]
Origin = Literal["member_text", "outside_text"]


class Document(Frozen):
    """A text to be known, as a source hands it over."""

    source: str  # "folder:charter", "chat:slack:T1:C1", "upload", "memory"
    key: str  # the source's own identity of it: the same key is a new version of the same document
    kind: Kind = "file"
    title: str
    text: str
    format: Format = "markdown"
    readers: tuple[str, ...] = ()  # "team", "channel:...", "person:...", "role:..."; anything else, or none: nobody
    origin: Origin = "outside_text"  # member_text only where a member of the team wrote all of it
    personal: bool = False  # personal data stands in it: whoever reads it has read such data
    author: str = ""  # for people
    written_at: datetime | None = None  # shown, and put in front of a memory
    url: str = ""  # opens the original
    version: str = ""  # the source's own mark of this version


class Said(Frozen):
    """A message of a conversation. A document of the format "chat" is a JSON array of these, in order."""

    id: str  # the platform's
    by: str  # who said it, for people
    at: datetime
    text: str
    url: str = ""  # permalink
    changed_at: datetime | None = None  # when its words were changed last


class AddResult(Frozen):
    """What became of a document that was added."""

    document_id: str
    changed: bool  # False: this text was known under this key
    chunks: int
    reused: int = 0  # chunks whose vector was known already


class Passage(Frozen):
    """A piece of a document that answers a query, with everything that a citation needs."""

    document_id: str
    number: int  # of the chunk within the document, from 1
    title: str
    headings: tuple[str, ...] = ()  # the path of headings above it, without the title
    text: str
    origin: Origin
    kind: Kind = "file"
    author: str = ""
    source: str = ""
    key: str = ""
    original: str = ""  # opens the document where it comes from
    permalink: str = ""  # opens exactly this piece where it comes from
    written_at: datetime | None = None
    updated_at: datetime | None = None
    score: float  # 0 to 1

    @property
    def url(self) -> str:
        """Opens the passage: the message itself, or its document in the web console at this place."""
        return self.permalink or f"/documents/{self.document_id}#c{self.number}"

    @property
    def dated(self) -> datetime | None:
        """When it was written, as far as that is known."""
        return self.written_at or self.updated_at

    @property
    def day(self) -> str:
        """The day of that, "2026-03-02"; empty where it is not known."""
        return f"{self.dated:%Y-%m-%d}" if self.dated is not None else ""

    @property
    def where(self) -> str:
        """Its document's title and the headings above it, on one line."""
        return " ".join(" › ".join((self.title, *self.headings)).split())

    def as_source(self, number: int) -> Source:
        """The source of an answer, by this number."""
        return Source(
            number=number,
            title=self.where,
            url=self.url,
            quote=self.text,
            document=self.document_id,
            kind=self.kind,
            dated=self.day,
        )


Way = Literal["meaning", "words"]


class SearchResult(Frozen):
    """What a search found. No passages: nothing that the audience may read answers the query."""

    passages: tuple[Passage, ...] = ()
    documents: int = 0  # how many documents the audience may read
    ways: tuple[Way, ...] = ("words",)
    note: str = ""  # why it was searched by words alone
    withheld: bool = False  # something fits that the audience may not read: may be said, never what
    cautions: tuple[str, ...] = ()  # where passages are old, or have a newer version among them

    @property
    def searched(self) -> str:
        """One sentence on what was searched, for an answer that found nothing."""
        if not self.documents:
            return "There are no documents that everybody here may read."
        count = "1 document" if self.documents == 1 else f"{self.documents} documents"
        how = " and ".join(f"by {way}" for way in self.ways)
        return f"Searched {count} {how}{f' ({self.note})' if self.note else ''}."


class StoredChunk(Frozen):
    """A chunk of a stored document; its anchor is `c{number}`."""

    number: int
    headings: tuple[str, ...] = ()
    text: str


class StoredDocument(Frozen):
    """A document as it is stored, for a person who may read it."""

    id: str
    source: str
    key: str
    kind: Kind
    title: str
    format: Format
    origin: Origin
    author: str
    readers: tuple[str, ...]
    url: str
    chunks: tuple[StoredChunk, ...]
    created_at: datetime
    updated_at: datetime


class SourceStatus(Frozen):
    """How a source stands."""

    name: str
    kind: str
    title: str
    state: Literal["waiting", "reading", "ready", "away", "cut off"]
    problem: str = ""
    done: int = 0  # of the pieces that are being read
    total: int = 0
    documents: int = 0
    failed: int = 0
    checked_at: datetime | None = None
    fresh_at: datetime | None = None  # something in it was new then
    due_at: datetime | None = None


class Failed(Frozen):
    """A piece of a source that could not be read."""

    source: str
    key: str
    reason: str
    hint: str = ""
    at: datetime


class Refused(Frozen):
    """Something that a source offered and that is not known now, with the reason."""

    key: str
    reason: str
    hint: str = ""


class SyncReport(Frozen):
    """What a source's sync did."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    forgotten: int = 0
    refused: tuple[Refused, ...] = ()
    state: str = "ready"  # or "away", "cut off": then the source itself could not be read

    @property
    def summary(self) -> str:
        """One sentence."""
        said = f"{self.added} added, {self.changed} changed, {self.unchanged} unchanged, {self.forgotten} removed"
        return f"{said}, {len(self.refused)} not read" if self.refused else said


IndexState = Literal["off", "asleep", "starting", "rebuilding", "ready", "failed"]


class KnowledgeStatus(Frozen):
    """How the knowledge base stands."""

    documents: int
    chunks: int
    embedded: int  # chunks with a vector of the current model
    indexed: int  # chunks that the vector index holds
    index: IndexState
    model: str
    problem: str = Field(default="")  # what keeps the vector index away; searches go by words meanwhile
