"""A team whose people, roles, channels and documents change all the time, and every way in which it reads.

Who may read what is written down here a second time, in the plainest form: sets of names, asked for one by one. Each
text holds a word that stands nowhere else, its secret; whoever gets to see that word has read the text.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sqlmodel import delete, select

from bot.engine.app import read_charter
from bot.engine.bridges import DocumentPages
from bot.engine.charter_files import Channel, PersonFile
from bot.engine.directory import TeamDirectory
from bot.engine.knowledge_answers import KnowledgeAnswers
from bot.engine.knowledge_overview import KnowledgeOverview, personal_audience
from bot.engine.text_command import Asked
from bot.web import knowledge_page
from kernel.clock import FixedClock, SystemIds
from kernel.config import Settings
from kernel.errors import BosunError
from kernel.people import Role
from kernel.store import knowledge_sources as sources
from kernel.store import memory, outbox, reports, runs
from kernel.store.knowledge import run as run_sql
from kernel.types import Actor, Inbound, Person, Place, RunFacts, Text
from knowledge.engine.archives import Told
from knowledge.engine.audience import TEAM, Audience
from knowledge.engine.documents import Document
from knowledge.engine.embedding import WORDS
from knowledge.engine.indexer import Pace
from knowledge.engine.knowledge import Knowledge
from knowledge.engine.vector_lines import ThreadLine
from tools.engine.context import ToolContext
from tools.engine.permit import digest_of, issue
from tools.engine.web.settings import WebSettings
from tools.search_knowledge import search_knowledge

if TYPE_CHECKING:
    from kernel.store import Session, Store

QUESTION = "what is the launch code of the heron"
SECRET = re.compile(r"secret[0-9]+x")
TEAM_PEOPLE = ("ann", "bo", "cy", "dee")
GUEST = "gus"
PEOPLE = (*TEAM_PEOPLE, GUEST)
ROLES = ("finance", "ops")
CHANNELS = ("#general", "#finance", "#ops", "#shared")
OPEN, VAULT = "folder:open", "folder:vault"  # a folder that the team reads, and one for finance
FOLDERS: dict[str, tuple[str, ...]] = {OPEN: (TEAM,), VAULT: ("role:finance",)}
SOURCES = ("upload", *FOLDERS)


def lane(channel: str) -> str:
    return f"web:local:{channel.removeprefix('#')}"


@dataclass(kw_only=True)
class Known:
    """A text with its secret, and who was named as its readers."""

    secret: str
    readers: frozenset[str]
    source: str = "upload"
    id: str = ""  # of its document


@dataclass(kw_only=True)
class Reference:
    """Who is who, in plain sets; and what they may read, by looking at one reader after the other."""

    holders: dict[str, set[str]] = field(default_factory=lambda: {"finance": {"bo", "cy"}, "ops": {"dee"}})
    inactive: set[str] = field(default_factory=set)
    rooms: dict[str, set[str]] = field(default_factory=dict)  # channel -> roles that read it; none: all do
    cut_off: set[str] = field(default_factory=set)
    known: dict[str, Known] = field(default_factory=dict)
    broken: dict[tuple[str, str], str] = field(default_factory=dict)  # source and key -> secret of its failure

    def in_room(self, who: str, channel: str) -> bool:
        roles = self.rooms[channel]
        return not roles or any(who in self.holders[role] for role in roles)

    def may(self, who: str, text: Known) -> bool:
        """Whether one person may read a text."""
        if text.source in self.cut_off:
            return False
        of_team = who in TEAM_PEOPLE and who not in self.inactive
        for reader in text.readers:
            kind, _, name = reader.partition(":")
            if reader == TEAM and of_team:
                return True
            if kind == "person" and name in {who, f"web:local:{who}"}:
                return True
            if kind == "role" and of_team and who in self.holders.get(name, ()):
                return True
            if kind == "channel" and any(lane(room) == name and self.in_room(who, room) for room in CHANNELS):
                return True
        return False

    def allowed(self, readers: set[str]) -> set[str]:
        """The secrets of what each of these people may read."""
        return {text.secret for text in self.known.values() if all(self.may(who, text) for who in readers)}

    def failures(self, who: str) -> set[str]:
        """The secrets of the failures that a person may hear of: in their sources, and of no file of others."""
        return {
            secret
            for (source, key), secret in self.broken.items()
            if self.may(who, Known(secret="", readers=frozenset(FOLDERS[source])))
            and (key not in self.known or self.known[key].source != source or self.may(who, self.known[key]))
        }

    def of_room(self, asker: str | None, channel: str) -> set[str]:
        """What everybody who reads along may read; the outsiders of a shared channel read nothing but the channel."""
        reading = {who for who in TEAM_PEOPLE if who not in self.inactive and self.in_room(who, channel)}
        reading |= {asker} if asker else set()
        reading |= {GUEST} if channel == "#shared" else set()
        return self.allowed(reading)


class ReadersWorld:
    """The real parts, over one database; `begin` empties it."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.clock, self.ids = store, FixedClock(), SystemIds()
        self.workspace = folder
        self.knowledge = Knowledge(
            store,
            self.clock,
            self.ids,
            folder / "knowledge",
            embedder=WORDS,
            line=ThreadLine,
            pace=Pace(settle=0.0, linger=3600.0),
            patience=60.0,
        )
        self._starter = read_charter(Settings())
        self.directory = TeamDirectory(lambda: self.charter, self.clock)
        self.answers = KnowledgeAnswers(self.knowledge, store, self.clock, self.directory)
        self.overview = KnowledgeOverview(self.knowledge, store, self.directory, self._readers)
        self.pages = DocumentPages(self.knowledge, self.directory)
        self._numbers = itertools.count(1)

    async def begin(self) -> None:
        """An empty database and the team as it is at first."""
        self.team = Reference(rooms={"#general": set(), "#finance": {"finance"}, "#ops": {"ops"}, "#shared": set()})
        for name in {found.name for found in await self.knowledge.sources()}:
            await self.knowledge.drop_source(name)
        await self.store.write(_clear)
        self._secrets, self._example = itertools.count(1), next(self._numbers)
        self.gone: set[str] = set()  # messages
        for name in (OPEN, VAULT):
            await self.store.write(lambda session, name=name: sources.register(session, name, "folder", name, None))  # type: ignore[misc]  # bound at once
        self.knowledge.chats.listen_to({lane(room): room for room in CHANNELS})
        self.changed()

    def changed(self) -> None:
        """The charter is what the reference says now."""
        people = {
            name: PersonFile(name=name.capitalize(), web=(name,), active=name not in self.team.inactive)
            for name in TEAM_PEOPLE
        }
        roles = {name: Role(name=name, members=tuple(sorted(self.team.holders[name]))) for name in ROLES}
        channels = {
            room: Channel(readers=tuple(sorted(self.team.rooms[room])), external=room == "#shared") for room in CHANNELS
        }
        self.charter = replace(
            self._starter,
            people=people,
            roles=roles,
            channels=channels,
            team=self._starter.team.model_copy(update={"channels": channels}),
            digest=str(next(self._numbers)),
        )

    def _readers(self) -> dict[str, tuple[str, ...]]:
        return FOLDERS

    # -- what is known ----------------------------------------------------------------------------

    def secret(self) -> str:
        return f"secret{next(self._secrets):03}x"

    async def add(self, key: str, readers: frozenset[str], source: str) -> None:
        """A document, or other words and readers for one that is known."""
        before = self.team.known.get(key)
        if before is not None and before.source != source:
            await self.knowledge.forget(before.id)  # it was moved to another folder
        secret = self.secret()
        made = await self.knowledge.add(
            Document(
                source=source,
                key=key,
                title=f"Heron {secret}",
                text=f"The launch code of the heron is {secret}.",
                format="text",
                readers=tuple(readers),
                origin="member_text",
            )
        )
        if source in self.team.cut_off:  # a source that is read again has let us in again
            await self.settle(source, sources.READY)
        if self.team.broken.pop((source, key), None):
            await self.store.write(lambda session: sources.settle_failures(session, source, [], [key]))
        self.team.known[key] = Known(secret=secret, readers=readers, source=source, id=made.document_id)

    async def settle(self, source: str, state: str) -> None:
        """A source was read, or did not let us in."""
        now = self.clock.now()
        await self.store.write(
            lambda session: sources.finish(session, source, state=state, problem="", now=now, fresh=False)
        )
        self.team.cut_off -= {source} if state == sources.READY else set()
        self.team.cut_off |= {source} if state == sources.CUT_OFF else set()

    async def fail(self, source: str, key: str) -> None:
        """A file of a source cannot be read, or not any more."""
        secret = self.team.broken[source, key] = self.secret()
        failed = sources.Failure(source=source, key=key, reason=f"{secret} is broken", failed_at=self.clock.now())
        await self.store.write(lambda session: sources.settle_failures(session, source, [failed], []))

    async def say(self, key: str, room: str, event: Literal["said", "changed", "gone"]) -> None:
        """A message is said in a channel, changed, or deleted."""
        if key in self.gone:
            return  # no platform gives an id twice
        secret = self.secret()
        told = Told(
            place=self.place(room),
            message=f"{self._example}-{key}",
            by="Ann",
            at=self.clock.now(),
            changed_at=self.clock.now() if event == "changed" else None,
            text="" if event == "gone" else f"The launch code of the heron is {secret}.",
            url=f"/channels/{room.removeprefix('#')}/{key}",
            event=event,
        )
        await self.knowledge.chats.told(told)
        if event == "gone":
            self.gone.add(key)
            self.team.known.pop(key, None)
        else:
            source = f"chat:{lane(room)}"
            document = (await self._documents()).get(source, "")
            self.team.known[key] = Known(
                secret=secret, readers=frozenset({f"channel:{lane(room)}"}), source=source, id=document
            )

    async def _documents(self) -> dict[str, str]:
        found = await self.store.read(lambda session: run_sql(session, "SELECT source, id FROM document").all())
        return {row[0]: row[1] for row in found}

    # -- people and places ------------------------------------------------------------------------

    def person(self, who: str) -> Person:
        return self.directory.person(self.account(who))

    def account(self, who: str) -> Actor:
        return Actor(platform="web", tenant="local", user=who, name=who, is_guest=who == GUEST)

    def id_of(self, who: str) -> str:
        return self.person(who).id

    def place(self, room: str, thread: str | None = None) -> Place:
        return Place(
            platform="web",
            tenant="local",
            channel=room.removeprefix("#"),
            thread=thread,
            external=room == "#shared",
        )

    def where(self, who: str, room: str) -> Place:
        """A channel, or "dm"."""
        if room == "dm":
            return Place(platform="web", tenant="local", channel=f"dm-{who}", kind="dm")
        return self.place(room, "thread")

    def asked(self, who: str, room: str, text: str = "") -> Asked:
        place = self.where(who, room)
        inbound = Inbound(
            key=f"local/{place.channel}/{next(self._numbers)}",
            kind="message",
            place=place,
            actor=self.account(who),
            message=f"m{next(self._numbers)}",
            text=text,
        )
        return Asked(
            person=self.person(who), actor=self.account(who), place=place, inbound=inbound, words={}, commands=()
        )

    # -- every way to read ------------------------------------------------------------------------

    async def search(self, who: str | None, room: str) -> tuple[set[str], Any]:
        """What the tool gives to a run; of nobody: to one of a workflow."""
        place = self.where(who or "", room)
        person = self.person(who) if who else Person(id="workflow:daily", name="daily", listed=False, can_decide=False)
        actor = self.account(who) if who else None
        facts = RunFacts(
            run_id=self.ids.new(),
            ref="R-1",
            segment=1,
            agent="lead",
            requester=person,
            actor=actor,
            roles=await self.directory.roles_of(person, actor) if who else frozenset(),
            place=place,
            channel_name=room if room != "dm" else "",
            workflow=None if who else "daily",
        )
        context = ToolContext(
            call_id=self.ids.new(),
            facts=facts,
            store=self.store,
            clock=self.clock,
            ids=self.ids,
            workspace=self.workspace,
            knowledge=self.knowledge,
            directory=self.directory,
            http=WebSettings(),
        )
        arguments: dict[str, Any] = {"query": QUESTION, "limit": 15}
        digest = digest_of(search_knowledge.name, arguments)
        permit = issue(call_id=context.call_id, tool=search_knowledge.name, digest=digest)
        result = await search_knowledge.perform(permit, arguments, context)
        return secrets_in(result.model_dump_json()), result

    async def answer(self, who: str, room: str) -> None:
        """A run in the thread ends with an answer that cites all that it found."""
        _seen, result = await self.search(who, room)
        place, now, run_id = self.where(who, room), self.clock.now(), self.ids.new()
        body = Text(markdown="There are codes.", sources=result.sources).model_dump(mode="json")

        def save(session: Session) -> None:
            conversation = runs.conversation_at(session, place)
            if conversation is None:
                made = runs.open_conversation(session, place, self.ids.new(), now)
                assert made is not None
                conversation = runs.conversation_at(session, place)
                assert conversation is not None
            shown = place.model_dump(mode="json")
            session.add(
                runs.Run(
                    id=run_id,
                    ref=f"R-{run_id}",
                    conversation_id=conversation.id,
                    agent="lead",
                    requester=self.id_of(who),
                    place=shown,
                    request="codes?",
                    state=runs.DONE,
                    created_at=now,
                    updated_at=now,
                )
            )
            session.add(
                outbox.OutboxRow(
                    id=f"{run_id}-answer", platform="web", lane=place.lane, place=shown, body=body, created_at=now
                )
            )

        await self.store.write(save)

    async def told(self, who: str, room: str) -> dict[str, set[str]]:
        """Path -> the secrets that somebody is told there. Refusals are told as well."""
        asked = self.asked(who, room)
        return {
            "about": secrets_in(await self.answers.about(QUESTION, asked)),
            "memory": secrets_in(await self.answers.listing("", asked)),
            "where from": secrets_in(await said(self.answers.where_from(asked))),
        }

    async def report(self, room: str) -> set[str]:
        """What a workflow's report of old documents tells a channel."""
        grants = Audience.of_channel(self.place(room)).readers
        until = self.clock.now().replace(year=2200)
        return secrets_in(str(await self.store.read(lambda session: reports.old_documents(session, grants, until))))

    async def console(self, who: str) -> dict[str, str]:
        """Path -> what somebody is shown in the web console."""
        person = self.person(who)
        view = await self.overview.of(person)
        pages = [await self.pages.document(text.id, person) for text in self.team.known.values() if text.id]
        return {
            "overview": f"{view.model_dump_json()} {view.in_words()} {knowledge_page.body(view)}",
            "pages": " ".join(page.model_dump_json() for page in pages if page is not None),
        }

    async def counted(self, who: str) -> tuple[int, int]:
        """How many documents somebody is told that there are for them: on the page, and by a search."""
        person = self.person(who)
        audience = await personal_audience(self.directory, person)
        found = await self.knowledge.search(QUESTION, audience, limit=1)
        return (await self.overview.of(person)).documents, found.documents

    # -- facts ------------------------------------------------------------------------------------

    async def remember(self, who: str, room: str, about: str) -> None:
        """A fact is told; it may replace another one."""
        secret = self.secret()
        fact = f"{about} is {secret}: the launch code of the heron"
        answer = await said(self.answers.remember(fact, self.asked(who, room)))
        assert secrets_in(answer) <= self.heard(who, room), answer
        reader = f"person:{self.id_of(who)}" if room == "dm" else f"channel:{lane(room)}"
        self.team.known[secret] = Known(secret=secret, readers=frozenset({reader}), source="memory")
        self.follow_facts()

    def follow_facts(self) -> None:
        """Facts that are gone are known no more; the id of one that counts is that of its document."""
        facts = {next(iter(secrets_in(row.text))): row for row in self.store.read_now(_facts)}
        for secret in [text.secret for text in self.team.known.values() if text.source == "memory"]:
            if secret not in facts:
                del self.team.known[secret]
            else:
                replaced = facts[secret].replaced_by is not None
                self.team.known[secret].id = "" if replaced else facts[secret].id

    def refs(self) -> dict[str, str]:
        """Reference -> secret of all facts, also of those that were replaced."""
        return {row.ref: next(iter(secrets_in(row.text))) for row in self.store.read_now(_facts)}

    def heard(self, who: str, room: str) -> set[str]:
        """The secrets that somebody may be told there."""
        return self.team.allowed({who}) if room == "dm" else self.team.of_room(who, room)


def _clear(session: Session) -> None:
    for table in (memory.Memory, runs.Run, runs.Conversation, outbox.OutboxRow):
        session.exec(delete(table))


def _facts(session: Session) -> list[memory.Memory]:
    return list(session.exec(select(memory.Memory)))


def secrets_in(text: str) -> set[str]:
    """The secrets that stand in a text."""
    return set(SECRET.findall(text))


async def said(answer: Any) -> str:
    """What a command says, also where it refuses."""
    try:
        return str(await answer)
    except BosunError as error:
        return f"{error.message} {error.hint}"
