"""What people say about knowledge and memory in the chat, answered: only what everybody there may read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kernel import ledger, moments
from kernel.errors import NotAllowed, NotFound
from kernel.store import work_done
from kernel.types import Text
from knowledge.engine import audience as readers
from knowledge.engine.audience import Audience
from knowledge.engine.differences import Stated, differences, stated
from knowledge.memory import Fact

if TYPE_CHECKING:
    from bot.engine.directory import TeamDirectory
    from bot.engine.text_command import Asked
    from kernel.clock import Clock
    from kernel.store import Session, Store
    from kernel.types import Actor, Person, Place, Source
    from knowledge.engine.documents import Passage
    from knowledge.engine.knowledge import Knowledge
    from knowledge.engine.memories import Remembered

DOCUMENT = re.compile(r"/documents/(?P<id>[0-9A-Za-z-]+)")
PASSAGES, FACTS, LISTED = 5, 5, 30
QUOTED = 320  # characters of a passage


class KnowledgeAnswers:
    """Tells what is known and where it is from; remembers, corrects and forgets."""

    def __init__(self, knowledge: Knowledge, store: Store, clock: Clock, directory: TeamDirectory) -> None:
        self.knowledge, self.store, self.clock, self.directory = knowledge, store, clock, directory

    async def about(self, topic: str, asked: Asked) -> str:
        """What was remembered about something, and the passages that say most about it."""
        audience = await self._audience(asked)
        facts = (await self.knowledge.memories.listing(audience, topic))[:FACTS]
        found = await self.knowledge.search(topic, audience, limit=PASSAGES)
        remembered = {fact.id for fact in facts}
        passages = [passage for passage in found.passages if passage.document_id not in remembered]
        lines = [f"**What was remembered about {_plain(topic)}**", ""] if facts else []
        lines += [self._fact(fact, asked.place) for fact in facts]
        lines += ["", f"**What documents say about {_plain(topic)}**"] if passages else []
        differ = differences(topic, [*map(_fact_stated, facts), *stated(passages)])
        for number, passage in enumerate(passages, 1):
            lines += ["", f"{number}. {_cited(passage)}", "", *_quote(passage.text)]
        if not facts and not passages:
            lines.append(f"Nothing that everybody here may read is about {_plain(topic)}. {found.searched}")
        careful = [*(each.sentence for each in differ), *found.cautions]
        lines += ["", *(f"**Note:** {caution}" for caution in careful)] if careful else []
        if found.withheld:
            lines += ["", "_Something fits that not everybody here may read; it is left out._"]
        return "\n".join(lines).strip()

    async def where_from(self, asked: Asked) -> str:
        """The sources of the last answer in this thread, as far as everybody here may still read them."""
        answer = await self.store.read(lambda session: work_done.last_answer(session, asked.place))
        if answer is None:
            raise NotFound("There is no answer of mine in this thread.", hint="Ask in the thread of the answer.")
        said = Text.model_validate(answer.body)
        by = f"{answer.agent} gave it ({answer.ref})"
        if not said.sources:
            return f"{by} and cites no source: what it says is the model's own, or stood in the request."
        audience = await self._audience(asked)
        lines = [f"{by} and cites:"]
        for source in said.sources:
            lines += ["", *await self._source(source, audience)]
        return "\n".join([*lines, "", "_Sentences without a number are the model's own._"])

    async def _source(self, source: Source, audience: Audience) -> list[str]:
        ours = DOCUMENT.search(source.url)
        document = source.document or (ours["id"] if ours is not None else "")
        if document:
            found = await self.knowledge.document(document, audience)
            if found is None:
                return [f"{source.number}. _It was forgotten, or not everybody here may read it any more._"]
            if not any(source.quote in chunk.text for chunk in found.chunks):
                link = _linked(found.title, source.url)
                return [f"{source.number}. {link}: _the passage was changed or deleted since._"]
        return [f"{source.number}. {_linked(source.title, source.url)}", "", *_quote(source.quote)]

    # -- memory -----------------------------------------------------------------------------------

    async def remember(self, text: str, asked: Asked) -> str:
        """Keep a fact for those who are here."""
        made = await self.knowledge.remember(self._new(text, asked))
        return _kept(made, self._whose(made, asked.place))

    async def correct(self, ref: str, text: str, asked: Asked) -> str:
        """Put another fact in the place of one. NotAllowed where others read that one: they would not hear of it."""
        old = await self.knowledge.memories.find(ref, await self._audience(asked))
        if old.readers != (self._reader(asked),):
            raise NotAllowed(
                f"{old.ref} is for other readers than this conversation.", hint="Correct it where it was said."
            )
        fact = self._new(text, asked).model_copy(update={"about": old.about, "kind": "correction"})
        made = await self.knowledge.remember(fact, instead=old.ref)
        return _kept(made, self._whose(made, asked.place))

    async def listing(self, words: str, asked: Asked) -> str:
        """What is remembered that everybody here may read, newest first."""
        facts = await self.knowledge.memories.listing(await self._audience(asked), words)
        if not facts:
            about = f" about {_plain(words)}" if words else ""
            return f"I remember nothing{about} that everybody here may read. Say `remember ...` to change that."
        more = (
            f"\n_And {len(facts) - LISTED} older ones: `memory WORDS` looks for some._" if len(facts) > LISTED else ""
        )
        return "\n".join([*(self._fact(fact, asked.place) for fact in facts[:LISTED]), more]).strip()

    async def refs(self, person: Person, actor: Actor, place: Place) -> list[str]:
        """The refs of what is remembered that everybody there may read, newest first."""
        known = await self.knowledge.memories.listing(await self._those_in(place, person, actor))
        return [fact.ref for fact in known]

    async def forget(self, what: str, asked: Asked) -> str:
        """Delete a fact, the facts of this thread, or an uploaded document."""
        if not asked.person.can_decide:
            raise NotAllowed("Only members of the team can make me forget something.")
        audience = await self._audience(asked)
        document = DOCUMENT.search(what)
        if document is not None:
            return await self._forget_document(document["id"], audience, asked)
        if what.lower() in {"this", "that", "it"}:
            thread = asked.place.thread or ""
            facts = await self.knowledge.memories.of_thread(asked.place.lane, thread, audience) if thread else []
            if not facts:
                raise NotFound(
                    "Nothing was remembered in this thread.", hint="`memory` lists what is; `forget M-7F3K`."
                )
        else:
            facts = [await self.knowledge.memories.find(what, audience)]
        for fact in facts:
            await self.knowledge.unremember(fact.id)
            await self._record("memory.forgotten", fact.ref, asked)
        return "\n".join(f"Forgotten: {fact.ref}, {fact.about}, with what it had replaced." for fact in facts)

    async def _forget_document(self, document_id: str, audience: Audience, asked: Asked) -> str:
        found = await self.knowledge.document(document_id, audience)
        if found is None:
            raise NotFound("There is no such document, or not everybody here may read it.")
        if found.source not in {"upload", "memory"}:
            raise NotAllowed(
                f"{found.title} comes from the source {found.source}: it would be read again.",
                hint="Delete it there, or take the source out of knowledge/sources.yaml.",
            )
        if found.source == "memory":
            await self.knowledge.unremember(document_id)
        else:
            await self.knowledge.forget(document_id)
        await self._record("document.forgotten", document_id, asked)
        return f"Forgotten: {found.title}."

    async def _record(self, kind: str, subject: str, asked: Asked) -> None:
        def write(session: Session) -> None:
            ledger.append(session, self.clock.now(), kind, subject, {"by": asked.person.id})

        await self.store.write(write)

    def _new(self, text: str, asked: Asked) -> Fact:
        person, place = asked.person, asked.place
        trusted = person.can_decide and not place.external
        return Fact(
            key=asked.inbound.key,
            text=text,
            readers=(self._reader(asked),),
            origin="member_text" if trusted else "outside_text",
            author=person.name,
            author_id=person.id,
            source=f"{person.name} in {self.directory.channel_name(place)}" if place.kind != "dm" else person.name,
            lane=place.lane,
            thread=place.thread or asked.inbound.message,
            at=self.clock.now(),
        )

    def _reader(self, asked: Asked) -> str:
        in_dm = asked.place.kind == "dm"
        return readers.person(asked.person.id) if in_dm else readers.channel(asked.place)

    async def _audience(self, asked: Asked) -> Audience:
        return await self._those_in(asked.place, asked.person, asked.actor)

    async def _those_in(self, place: Place, person: Person, actor: Actor) -> Audience:
        roles = await self.directory.roles_of(person, actor)
        lanes = await self.directory.open_to(place, person)
        return Audience.of(place, person, roles, lanes, actor=actor)

    def _whose(self, fact: Remembered, place: Place) -> str:
        names = {
            readers.TEAM: "the team",
            readers.channel(place): self.directory.channel_name(place),
            readers.person(fact.author_id): f"{fact.author} alone",
        }
        return ", ".join(names.get(reader, reader) for reader in fact.readers)

    def _fact(self, fact: Remembered, place: Place) -> str:
        whole = " ".join(fact.text.split())
        origin = ", ".join(filter(None, [fact.author, fact.day, f"for {self._whose(fact, place)}"]))
        before = f" It replaced {fact.replaced[0]}." if fact.replaced else ""
        return f"- **{fact.ref}** ({fact.kind}) {whole} — _{origin}._{before}"


def _kept(made: Remembered, whose: str) -> str:
    replaced = f" It replaces {made.replaced[0]}." if made.replaced else ""
    return f"Remembered for {whose} as **{made.ref}**.{replaced} `forget {made.ref}` takes it back."


def _cited(passage: Passage) -> str:
    said = [passage.author, moments.day(passage.dated) if passage.dated else ""]
    about = ", ".join(filter(None, said))
    return _linked(passage.where, passage.url) + (f" ({about})" if about else "")


def _fact_stated(fact: Remembered) -> Stated:
    return Stated(fact.ref, fact.id, fact.about, fact.text, fact.on)


def _linked(title: str, url: str) -> str:
    return f"[{_plain(title)}]({url})" if url else _plain(title)


def _plain(text: str) -> str:
    return re.sub(r"([\[\]*_`])", r"\\\1", " ".join(text.split()))


def _quote(text: str) -> list[str]:
    short = text if len(text) <= QUOTED else text[: QUOTED - 1].rsplit(" ", 1)[0] + " …"
    return [f"> {line}".rstrip() for line in short.strip().splitlines()]
