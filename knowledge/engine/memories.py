"""Remembering: a fact visibly replaces an older one about the same with the same readers; all can be taken back."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from kernel import moments
from kernel.errors import NotFound
from kernel.store import knowledge as rows
from kernel.store import memory as facts
from kernel.types import Frozen
from knowledge.engine.audience import is_reader
from knowledge.engine.differences import contradicts
from knowledge.memory import about, document, kind_of, subject

if TYPE_CHECKING:
    from kernel.clock import Clock, Ids
    from kernel.store import Session, Store
    from knowledge.engine.audience import Audience
    from knowledge.engine.ingest import Ingest
    from knowledge.memory import Fact

LISTED = 200
LOOKED_THROUGH = 10_000  # where some with certain words are wanted


class Remembered(Frozen):
    """A fact that is remembered, and what it has replaced."""

    id: str
    ref: str  # "M-7F3K"
    kind: str
    about: str
    text: str
    author: str
    author_id: str
    source: str
    url: str
    readers: tuple[str, ...]
    day: str  # "2 March 2026"
    on: date  # the same day
    replaced: tuple[str, ...] = ()  # "'Jo is our contact.' (Ann, 1 February 2026)", newest first


class Memories:
    """Facts with their readers. Nothing here reaches over to other readers' facts."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, ingest: Ingest) -> None:
        self._store, self._clock, self._ids, self._ingest = store, clock, ids, ingest

    async def remember(self, fact: Fact, *, instead: str = "") -> Remembered:
        """Store a fact; the same key is the same fact. It replaces those about the same that the same people read.

        `instead`: reference of a fact that it replaces, whatever it is about. NotReadable says why it cannot be kept.
        """
        fact = fact.model_copy(update={"readers": tuple(sorted({r for r in fact.readers if is_reader(r)}))})
        made = document(fact)

        def also(session: Session, document_id: str) -> None:
            if facts.get(session, document_id) is None:
                self._put(session, document_id, fact)
                older = facts.current(session, subject(fact), list(fact.readers))
                older += [each for each in self._contradicted(session, fact) if each not in older]
                named = facts.by_ref(session, instead) if instead else None
                if named is not None and named.readers == list(fact.readers):
                    older.append(named)
                for memory in older:
                    if memory.id != document_id and memory.replaced_by is None:
                        memory.replaced_by = document_id
                        session.add(memory)
                        rows.forget(session, memory.id)

        added = await self._ingest.write(self._ingest.adding(made, also=also))
        return await self._store.read(lambda session: _remembered(session, facts.get(session, added.document_id)))

    def _contradicted(self, session: Session, fact: Fact) -> list[facts.Memory]:
        """The current facts of the same readers that say something else of the same; of preferences, one's own."""
        kind = kind_of(fact)
        return [
            each
            for each in facts.newest(session, list(fact.readers), LISTED)
            if (each.kind == kind == "preference") <= (each.author_id == fact.author_id)
            and contradicts(each.text, fact.text)
        ]

    def _put(self, session: Session, document_id: str, fact: Fact) -> None:
        ref = f"M-{self._ids.short()}"
        while facts.by_ref(session, ref) is not None:
            ref = f"M-{self._ids.short(6)}"
        session.add(
            facts.Memory(
                id=document_id,
                ref=ref,
                kind=kind_of(fact),
                about=about(fact),
                subject=subject(fact),
                text=fact.text.strip(),
                readers=list(fact.readers),
                origin=fact.origin,
                author=fact.author,
                author_id=fact.author_id,
                source=fact.source,
                url=fact.url,
                lane=fact.lane,
                thread=fact.thread,
                created_at=fact.at,
            )
        )
        session.flush()

    async def listing(self, audience: Audience, words: str = "") -> list[Remembered]:
        """The facts that the whole audience may read, newest first; those with all of `words`."""
        wanted = words.casefold().split()

        def look(session: Session) -> list[Remembered]:
            found = facts.readable(session, audience.readers, LOOKED_THROUGH if wanted else LISTED)
            return [
                _remembered(session, memory)
                for memory in found
                if all(word in f"{memory.about} {memory.text} {memory.author}".casefold() for word in wanted)
            ]

        return await self._store.read(look)

    async def find(self, ref: str, audience: Audience) -> Remembered:
        """The current fact with this reference; NotFound for none that the audience may read."""

        def look(session: Session) -> Remembered:
            memory = facts.by_ref(session, ref.upper())
            if memory is None or memory.replaced_by is not None:
                raise NotFound(f"I remember nothing under {ref.upper()}.")
            if rows.readable(session, memory.id, audience.readers) is None:
                raise NotFound(f"I remember nothing under {ref.upper()}.")
            return _remembered(session, memory)

        return await self._store.read(look)

    async def id_of(self, ref: str) -> str | None:
        """The id of a current fact, for an operator; None where there is none with this reference."""
        memory = await self._store.read(lambda session: facts.by_ref(session, ref.upper()))
        return memory.id if memory is not None and memory.replaced_by is None else None

    async def of_thread(self, lane: str, thread: str, audience: Audience) -> list[Remembered]:
        """What was remembered in a thread, newest first."""

        def look(session: Session) -> list[Remembered]:
            found = facts.of_thread(session, lane, thread)
            allowed = [memory for memory in found if rows.readable(session, memory.id, audience.readers)]
            return [_remembered(session, memory) for memory in allowed]

        return await self._store.read(look)

    async def forget(self, memory_id: str) -> None:
        """Delete a fact with all that it has replaced."""

        def delete(session: Session) -> None:
            facts.delete(session, memory_id)
            rows.forget(session, memory_id)

        await self._ingest.write(delete)


def _remembered(session: Session, memory: facts.Memory | None) -> Remembered:
    if memory is None:
        raise NotFound("That was forgotten in the meantime.")
    return Remembered(
        **memory.model_dump(include={"id", "ref", "kind", "about", "text", "author", "author_id", "source", "url"}),
        readers=tuple(memory.readers),
        day=moments.day(memory.created_at),
        on=memory.created_at.date(),
        replaced=tuple(
            f"“{older.text}” ({older.author}, {moments.day(older.created_at)})"
            for older in facts.history(session, memory.id)
        ),
    )
