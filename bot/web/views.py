"""What the composition root gives to the web chat: settings, and callables that answer for the rest of Bosun."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from bot.engine.home_view import HomeView
from kernel import moments
from kernel.types import Frozen, Person, Place


class Channel(Frozen):
    """A channel of the web chat."""

    id: str  # "finance"; part of addresses, never changed
    name: str  # "#finance", as the charter calls it; shown without the sign
    purpose: str = ""  # one line below the name
    members: frozenset[str] | None = None  # Person ids that may read it; None: the whole team
    external: bool = False  # people outside the team can read it


class AgentHint(Frozen):
    """An agent as the @-picker offers it."""

    name: str  # "finance", as it is addressed: `@bosun finance: ...`
    description: str = ""


class CommandHint(Frozen):
    """A command as the composer offers it after `/`."""

    name: str
    usage: str = ""  # "AP-7F3K because ..."
    description: str = ""


class Prompt(Frozen):
    """Something to try, offered where there is nothing to read yet."""

    title: str
    message: str
    channel: str | None = None  # id of the only channel where it is offered


class Settings(Frozen):
    """How the web chat is run."""

    folder: Path  # the data folder: the key of the sessions, and the uploads
    host: str = "127.0.0.1"
    port: int = 8420  # 0: any free port
    origins: tuple[str, ...] = ()  # further addresses that it is reached under, "https://bosun.example.org"
    workspace: str = "Bosun"
    demo: bool = False  # demo people with a persona switch
    owner: str = ""  # Person id that the printed login link is for; "": the first person
    commands: tuple[CommandHint, ...] = ()  # what the composer offers after `/`
    upload_limit: int = 20 * 1024 * 1024  # bytes of one file
    files_per_message: int = 10


class Section(Frozen):
    """A part of a document that a source can point to."""

    anchor: str  # the part of the address after "#"
    markdown: str


class DocumentView(Frozen):
    """A document of the knowledge base, for a person who may read it."""

    title: str
    sections: tuple[Section, ...]
    origin: str = ""  # where it came from: a path, a channel, an address
    updated_at: datetime | None = None


class SourceView(Frozen):
    """A source of knowledge, for a person who may read what it has."""

    name: str
    kind: str
    title: str
    state: str  # "waiting", "reading", "ready", "away", "cut off"
    problem: str = ""
    done: int = 0  # of what is being read
    total: int = 0
    documents: int = 0  # that this person may read
    failed: int = 0
    checked_at: datetime | None = None
    told: bool = False  # people bring what is in it, so it is not read from anywhere
    fresh_at: datetime | None = None  # something in it was new then


class FailedView(Frozen):
    """A piece of a source that could not be read."""

    source: str
    key: str
    reason: str
    at: datetime


class KnowledgeView(Frozen):
    """How knowledge stands, for one person."""

    sources: tuple[SourceView, ...] = ()
    failed: tuple[FailedView, ...] = ()
    documents: int = 0  # that this person may read
    titles: tuple[tuple[str, str], ...] = ()  # id and title of those that are no conversations, changed last first
    covered: int = 100  # percent of all passages that can be found by meaning
    index: str = "ready"  # state of the index of meanings
    problem: str = ""  # what keeps it away
    model: str = ""  # that embeds

    def in_words(self) -> str:
        """As Markdown, for the chat."""
        documents = "1 document" if self.documents == 1 else f"{self.documents} documents"
        lines = [f"You may read {documents}; {self.covered}% of all passages are found by meaning, all by words."]
        if self.problem:
            lines.append(f"The index of meanings: {self.problem}")
        lines += ["", *(f"- **{_line(one.title)}**: {_standing(one)}" for one in self.sources)]
        lines += ["", "**Not read**", ""] if self.failed else []
        lines += [f"- {_line(one.key)} ({_line(one.source)}): {_line(one.reason)}" for one in self.failed[:10]]
        lines += [f"- and {len(self.failed) - 10} more: see the knowledge page"] if len(self.failed) > 10 else []
        return "\n".join(lines)


def standing(source: SourceView) -> str:
    """The state of a source in words."""
    if source.state == "reading" and source.total:
        return f"reading, {100 * source.done // source.total}%"
    failed = f", {source.failed} not read" if source.failed else ""
    problem = f": {source.problem}" if source.problem else ""
    return f"{source.state}{failed}{problem}"


def _standing(source: SourceView) -> str:
    documents = "1 document" if source.documents == 1 else f"{source.documents} documents"
    read = f", last read {moments.written(source.checked_at)}" if source.checked_at else ""
    return f"{documents}, {_line(standing(source))}{read}"


def _line(text: str) -> str:
    return " ".join(text.split())


async def _no_knowledge(_person: Person) -> KnowledgeView:
    return KnowledgeView()


async def _no_home(_person: Person) -> HomeView:
    return HomeView()


async def _no_document(_id: str, _person: Person) -> DocumentView | None:
    return None


async def _no_workflow(_name: str, _person: Person) -> WorkflowView | None:
    return None


async def _no_picture(_name: str, _person: Person) -> bytes | None:
    return None


async def _no_votes(_person: Person, _refs: Sequence[str]) -> Mapping[str, str]:
    return {}


def _nobody_listens(_place: Place, _text: str) -> bool:
    return False


class WorkflowView(Frozen):
    """A workflow, for who may see it."""

    name: str
    alt: str  # what its picture shows
    words: str  # Markdown
    history: str  # Markdown


class Sources(Frozen):
    """Where the web chat asks for what other rooms know. Called on every use, so a reloaded charter shows at once."""

    people: Callable[[], Sequence[Person]]
    channels: Callable[[], Sequence[Channel]]
    agents: Callable[[], Sequence[AgentHint]] = tuple
    prompts: Callable[[], Sequence[Prompt]] = tuple
    home: Callable[[Person], Awaitable[HomeView]] = _no_home
    document: Callable[[str, Person], Awaitable[DocumentView | None]] = _no_document
    knowledge: Callable[[Person], Awaitable[KnowledgeView]] = _no_knowledge
    listens: Callable[[Place, str], bool] = _nobody_listens  # whether a message that mentions nobody is waited for
    awaited: Callable[[Place, str], bool] = _nobody_listens  # whether an emoji on a message there is waited for
    workflow: Callable[[str, Person], Awaitable[WorkflowView | None]] = _no_workflow
    picture: Callable[[str, Person], Awaitable[bytes | None]] = _no_picture  # of a workflow, PNG
    votes: Callable[[Person, Sequence[str]], Awaitable[Mapping[str, str]]] = _no_votes  # on the answers of runs
    signs: Callable[[], Sequence[str]] = tuple  # the emoji that some workflow waits for, as characters
