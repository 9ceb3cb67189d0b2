"""What a text command is, what it is given and what it can use; the commands are the files of bot/commands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from bot.engine.charter import Charter
    from bot.engine.directory import TeamDirectory
    from bot.engine.freezer import Freezer
    from bot.engine.home import Home
    from bot.engine.knowledge_answers import KnowledgeAnswers
    from bot.engine.knowledge_overview import KnowledgeOverview
    from bot.engine.linking import Linking
    from bot.engine.stops import Stops
    from bot.engine.tool_list import ToolList
    from bot.engine.workflow_commands import WorkflowCommands
    from kernel.clock import Clock
    from kernel.people import Away
    from kernel.store import Store
    from kernel.types import Actor, Body, Inbound, Person, Place, Text
    from rules.engine.rulebook import RuleBook
    from workflows.engine.forms import Forms

REF = r"(?:AP|BA|R)-[0-9A-Za-z]{4,26}"  # of an approval, of a card of several, or of a run


class HasRef(Protocol):
    """An approval."""

    @property
    def ref(self) -> str:
        """ "AP-7F3K"."""
        ...


class Decisions(Protocol):
    """What commands need of the approvals."""

    async def decide(self, ref: str, verb: str, actor: Actor, words: str, event: str = "") -> str:
        """Approve or reject the current revision; returns what to tell the person."""
        ...

    async def why(self, ref: str, person: Person, *, reads: Callable[[Place], bool]) -> str:
        """Why it was asked, what became of it, and the receipt; Markdown. `reads`: what the person can read."""
        ...

    async def waiting(self, person: Person, actor: Actor) -> Text:
        """What waits for this person, with buttons."""
        ...

    async def waiting_for(self, person: Person, actor: Actor, limit: int) -> Sequence[HasRef]:
        """What the person can decide now."""
        ...

    async def ask(self, ref: str, text: str, actor: Actor) -> str:
        """Ask the requester something before deciding; returns what to tell the person."""
        ...

    async def answer_question(self, ref: str, text: str, actor: Actor) -> str:
        """Answer the oldest open question about what one asked for; returns what to tell the person."""
        ...

    async def grant(self, ref: str, revision: int | None, fields: Mapping[str, str], actor: Actor) -> str:
        """Approve, and let further calls like it through (`calls`, `lasts`); returns what to tell the person."""
        ...

    async def withdraw_one(self, ref: str, reason: str, actor: Actor) -> str:
        """Take back what one asked for; returns what to tell the person."""
        ...


class Permissions(Protocol):
    """What commands need of the standing permissions."""

    async def listed(self) -> str:
        """All that hold; Markdown."""
        ...

    async def revoke(self, ref: str, person: Person, actor: Actor) -> str:
        """End one. NotAllowed, NotFound."""
        ...


class Absent(Protocol):
    """What commands need of who is away."""

    async def by_person(self) -> Mapping[str, Away]:
        """Who is away now."""
        ...

    async def leave(self, person: Person, delegate: Person | None, until: datetime, by: str) -> Away:
        """The person is away until then. RefusedError where that makes no sense."""
        ...

    async def come_back(self, person: Person, by: str) -> bool:
        """The person is here again; False if they were not away by their own word."""
        ...


@dataclass(frozen=True, kw_only=True)
class Office:
    """What commands work with."""

    store: Store
    clock: Clock
    directory: TeamDirectory
    charter: Callable[[], Charter]  # the charter in force
    rules: RuleBook  # in force
    decisions: Decisions
    permissions: Permissions
    absences: Absent
    workflows: WorkflowCommands
    stops: Stops
    forms: Forms
    freezer: Freezer
    linking: Linking
    home: Home
    tools: ToolList
    knowledge: KnowledgeAnswers
    overview: KnowledgeOverview


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A command as somebody said it."""

    person: Person
    actor: Actor
    place: Place  # where the answer goes
    inbound: Inbound
    words: Mapping[str, str]  # the named groups of the command's shape that matched
    commands: tuple[TextCommand, ...]  # all there are, for `help`

    @property
    def rest(self) -> str:
        """The group `rest`: what the command is about; empty where nothing was said."""
        return self.words.get("rest", "")


@dataclass(frozen=True, kw_only=True)
class Typing:
    """Somebody who is about to say a command."""

    person: Person
    actor: Actor
    place: Place


@dataclass(frozen=True, kw_only=True)
class TextCommand:
    """A command. Its answer is Markdown, or a body as it is. Any BosunError is a refusal, told in private."""

    name: str  # the first word
    shape: str  # regular expression of the whole text; matched without regard to case
    run: Callable[[Asked, Office], Awaitable[str | Body]]
    phrase: str = ""  # what it begins with, where that is more than its name: "break glass"
    usage: str = ""  # what may stand behind that, as an example
    offers: Callable[[Typing, Office], Awaitable[list[str]]] | None = None  # what may stand there now, best first
    group: str = ""  # where a menu has no room for all: the part of it in which this one stands
    does: str = ""  # a short phrase for `help` and for the composer: "see who works here"
    place: int = 50  # position in `help`; equal ones by name
    topic: str = ""  # `help TOPIC` lists it; filled from the TOPIC of its file, empty for what everybody needs
    acting: bool = False  # it changes something, so it is not run from history after downtime; the others only tell
    personal: bool = False  # its answer is for whoever said it alone

    @property
    def example(self) -> str:
        """How it is written."""
        return f"{self.begins} {self.usage}".strip()

    @property
    def begins(self) -> str:
        """What it begins with."""
        return self.phrase or self.name
