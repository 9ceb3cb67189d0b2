"""Source: the customers in Bosun's own tables: companies, contacts, deals, notes and tasks."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Literal

from kernel.store import crm as rows
from knowledge.engine.documents import Document
from knowledge.engine.hashing import content_hash
from knowledge.engine.source import Item
from knowledge.engine.source_settings import SourceSettings, Span

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from knowledge.engine.source_settings import Surroundings

RecordKind = Literal["company", "contact", "deal", "note", "task"]
PERSONAL = frozenset({"email", "phone"})


class Settings(SourceSettings):
    """Records of the CRM."""

    kind: Literal["crm"]
    records: tuple[RecordKind, ...] = ("company", "contact", "deal", "note", "task")
    every: Span = timedelta(minutes=5)


class Crm:
    """The records, each a document that names what it belongs to. One that was removed is forgotten."""

    kind = "crm"
    complete = True

    def __init__(self, settings: Settings, around: Surroundings) -> None:
        self.name = f"crm:{settings.name}"
        self.title = "Customers"
        self.readers = around.readers(settings)
        self._settings = settings
        self._around = around

    async def items(self) -> AsyncIterator[Item]:
        known = {record.ref: record for record in await self._around.store.read(rows.everything)}
        for record in known.values():
            if record.kind in self._settings.records:
                made = _document(self.name, record, known.get(record.about), self.readers)
                version = content_hash(made.title, made.text, made.origin)
                yield Item(key=record.ref, version=version, load=partial(_ready, made))


def open_source(settings: Settings, around: Surroundings) -> Crm:
    """The CRM of this installation."""
    return Crm(settings, around)


def _document(source: str, record: rows.CrmRecord, about: rows.CrmRecord | None, readers: tuple[str, ...]) -> Document:
    """The record in words. What stands in it of the record that it belongs to counts for its label as well."""
    fields = {name: str(value) for name, value in record.fields.items() if value}
    prose = fields.pop("text", "")
    lines = [f"{record.kind.capitalize()}: {record.name}"]
    if about is not None:
        lines.append(f"Belongs to: {about.kind} {about.name} ({about.ref})")
    lines += [f"{name.capitalize()}: {value}" for name, value in sorted(fields.items())]
    written = {record.origin} | ({about.origin} if about is not None else set())
    return Document(
        source=source,
        key=record.ref,
        kind="record",
        title=f"{record.kind.capitalize()} {record.ref}: {record.name}"[:200],
        text="\n".join(lines) + (f"\n\n{prose}" if prose else ""),
        format="text",
        readers=readers,
        origin="member_text" if written == {"member_text"} else "outside_text",
        personal=not PERSONAL.isdisjoint(fields),
        written_at=record.changed_at,
    )


async def _ready(document: Document) -> Document:
    return document
