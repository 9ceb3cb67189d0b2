"""The values that travel between the rooms: who, where, what was said, what is shown. No behaviour."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Json = Any


class Frozen(BaseModel):
    """A value: immutable, closed (an unknown field is an error), compared by content."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# -- where and who --------------------------------------------------------------------------------


class Place(Frozen):
    """Where a message stands: a channel, and the thread in it."""

    platform: str  # "slack", "discord", "web"
    tenant: str  # workspace or server id; "local" for the web chat
    channel: str  # the platform's own id, never a display name
    thread: str | None = None  # id of the thread's root message; None: the channel's top level
    kind: Literal["dm", "channel", "group"] = "channel"
    external: bool = False  # people outside the team can read it (Slack Connect, shared)

    @property
    def lane(self) -> str:
        """The unit of ordering and of rate limits: one sender per platform and channel."""
        return f"{self.platform}:{self.tenant}:{self.channel}"

    def in_thread(self, thread: str | None) -> Place:
        """The same channel with `thread` as the thread."""
        return self.model_copy(update={"thread": thread})


class Actor(Frozen):
    """An account on a platform, as the platform describes it. Which person it is, the directory says."""

    platform: str
    tenant: str
    user: str  # the platform's stable id
    name: str = ""  # display name: shown, never compared
    is_bot: bool = False
    is_guest: bool = False
    is_external: bool = False
    is_known: bool = True  # False: the platform did not say in time who it is, so it has the fewest rights
    roles: tuple[str, ...] = ()  # role ids that came with the payload (Discord)

    @property
    def account(self) -> str:
        """Key of the account: `platform:tenant:user`."""
        return f"{self.platform}:{self.tenant}:{self.user}"


class Person(Frozen):
    """A principal: one human, whatever accounts they use. Votes count persons."""

    id: str  # the key in people.yaml, or the account key of somebody not listed there
    name: str
    accounts: tuple[str, ...] = ()
    listed: bool = True  # stands in people.yaml
    can_decide: bool = True  # False for bots, guests, externals, deactivated people
    time_zone: str | None = None
    quiet: tuple[int, int] | None = None  # minutes of their day from and until which nothing that can wait disturbs


# -- what comes in --------------------------------------------------------------------------------


class FileRef(Frozen):
    """A file that somebody attached, not yet downloaded."""

    id: str
    name: str
    media_type: str = "application/octet-stream"
    size: int = 0  # bytes, as the platform says
    url: str = ""  # where the adapter can download it


class Press(Frozen):
    """A pressed button or a submitted dialog. Carries an id, a revision and a verb; everything else is looked up."""

    subject: str  # "AP-7F3K", a run's reference, ...
    revision: int = 0
    verb: str  # "approve", "reject", "edit", "stop", ...
    fields: dict[str, str] = {}  # what was typed into a dialog
    trigger: str | None = None  # what the platform needs to open a dialog or to answer privately
    message: str | None = None  # the platform's id of the message that carries the button
    event: str = ""  # key of the event that brought it: what is dealt with again after a crash is the same press


InboundKind = Literal[
    "mention", "message", "reaction", "command", "press", "edit", "delete", "joined", "opened", "home", "stop"
]


class Quoted(Frozen):
    """A message as it stands on the platform. Untrusted text."""

    message: str
    actor: Actor
    text: str
    mine: bool = False
    sent_at: datetime | None = None


class Inbound(Frozen):
    """One event from a platform in neutral form. `key` is the platform's own identity of it: same key, same event."""

    key: str  # unique per platform; for a message: tenant/channel/message id
    kind: InboundKind
    place: Place
    actor: Actor
    message: str | None = None  # the platform's id of the message
    text: str = ""  # Markdown; our own mention removed, others as readable names. Of a reaction: the emoji
    addressed: bool = False  # mentions us, or a DM
    opens_with_other: bool = False  # begins by addressing another person
    files: tuple[FileRef, ...] = ()
    about: Quoted | None = None  # the message that it asks about; its files are that message's
    press: Press | None = None
    sent_at: datetime | None = None
    redelivered: bool = False  # the platform says that it sent this before
    caught_up: bool = False  # found in history after downtime, not delivered live


# -- what goes out --------------------------------------------------------------------------------


class Source(Frozen):
    """Where a statement comes from, numbered as in the text."""

    number: int
    title: str
    url: str = ""  # opens the source; a path below the web console for our own documents
    quote: str = ""  # the passage
    document: str = ""  # of the knowledge base: who may read it is asked again when the source is shown later
    kind: str = ""  # of the document: "file", "chat"
    dated: str = ""  # the day on which it was written, "2026-03-02"; empty where that is not known


class Text(Frozen):
    """A message of prose. Markdown from a model or from us: adapters neutralise it, nothing in it pings."""

    type: Literal["text"] = "text"
    markdown: str
    agent: str | None = None  # who speaks, shown as the first line's prefix or as the author
    sources: tuple[Source, ...] = ()
    footer: str = ""  # small print: "AI-generated, ..."
    actions: tuple[Action, ...] = ()
    feedback: str = ""  # reference of the run whose answer this is, where readers may say whether it helped them


StepStatus = Literal["pending", "running", "done", "failed", "waiting"]


class Step(Frozen):
    """A row of a progress object: what is being done, in words of purpose."""

    id: str
    title: str  # at most 80 characters
    status: StepStatus = "running"
    detail: str = ""  # at most 200 characters


class Progress(Frozen):
    """The one visible object of a turn while it is worked on."""

    type: Literal["progress"] = "progress"
    title: str
    agent: str | None = None
    steps: tuple[Step, ...] = ()
    partial: str = ""  # answer so far, Markdown
    run: str = ""  # reference of the run, for the Stop button
    stoppable: bool = True


class Confirm(Frozen):
    """A second question before a risky button counts."""

    title: str
    text: str
    label: str


class Choice(Frozen):
    """Something to pick in a dialog."""

    value: str = Field(max_length=75)  # what comes back; never holds a line break
    label: str = Field(max_length=75)
    hint: str = Field(default="", max_length=75)


class FormField(Frozen):
    """A field of a dialog: text, or up to ten choices. Picked choices come back as their values, one on each line."""

    id: str
    label: str
    value: str = ""  # what stands in it, or is picked, when the dialog opens
    multiline: bool = False
    required: bool = True
    max_length: int = 3000
    hint: str = ""
    choices: tuple[Choice, ...] = Field(default=(), max_length=10)  # there: one or several are picked, nothing typed
    many: bool = False  # of choices: several may be picked


class Form(Frozen):
    """A dialog. Limits are the intersection of the platforms: title 24, five fields."""

    subject: str
    revision: int = 0
    verb: str
    title: str = Field(max_length=24)
    fields: tuple[FormField, ...] = Field(max_length=5)
    submit: str = Field(default="Send", max_length=24)
    note: str = ""  # a paragraph above the fields
    unopened: str = ""  # said where it cannot be opened; empty: nothing has happened, and one may press again


class Action(Frozen):
    """A button. Its press carries subject, revision and verb, nothing else."""

    subject: str
    revision: int = 0
    verb: str
    label: str = Field(max_length=34)
    style: Literal["primary", "danger", "plain", "link"] = "plain"
    url: str = ""  # for style "link"
    confirm: Confirm | None = None
    opens_form: bool = False  # the platform must give us a way to answer with a dialog
    more: bool = False  # rarely wanted: may be folded into a menu beside the others


class Fact(Frozen):
    """A labelled line on a card."""

    label: str
    value: str


class Payload(Frozen):
    """The literal content of a call or a difference: shown verbatim, folded, attached in full where it does not fit."""

    title: str
    content: str
    language: Literal["json", "diff", "text"] = "json"
    digest: str = ""  # SHA-256, named on the card


class Card(Frozen):
    """A decision card. Its order is fixed: headline, state, text, facts, payloads, warning, actions, footer."""

    type: Literal["card"] = "card"
    headline: str = Field(max_length=150)
    state: str  # one full sentence: "Waiting - 0 of 2 approvals - expires ..."
    tone: Literal["neutral", "waiting", "good", "bad", "warn"] = "neutral"
    text: str = ""  # Markdown
    facts: tuple[Fact, ...] = Field(default=(), max_length=8)
    payloads: tuple[Payload, ...] = ()
    warning: str = ""  # "Cannot be undone", or that the target stands only in outside text
    actions: tuple[Action, ...] = ()
    footer: str = ""  # "AP-7F3K - r3 - created ..."
    expires_at: datetime | None = None  # shown in the reader's own time


class DashboardRow(Frozen):
    """A line of a dashboard. Where there is no room for all its buttons, the first ones stay."""

    title: str  # plain text
    url: str = ""  # opens what the row is about
    detail: str = ""  # plain text
    actions: tuple[Action, ...] = Field(default=(), max_length=3)


class DashboardPart(Frozen):
    """A part of a dashboard."""

    title: str
    rows: tuple[DashboardRow, ...] = Field(default=(), max_length=10)
    nothing: str = ""  # said in place of rows
    more: str = ""  # said below the rows where some are left out


class Dashboard(Frozen):
    """What one person sees of the whole. Shown to that person alone."""

    type: Literal["dashboard"] = "dashboard"
    title: str
    parts: tuple[DashboardPart, ...] = Field(max_length=8)
    footer: str = ""


Body = Annotated[Text | Progress | Card | Dashboard, Field(discriminator="type")]

Text.model_rebuild()


class Command(Frozen):
    """A text command, after the desk has recognised it."""

    name: str
    words: dict[str, str] = {}  # the named parts of what was said


# -- what agents do -------------------------------------------------------------------------------

Effect = Literal["read", "fetch", "write", "send", "destroy", "spend"]

Origin = Literal[
    "typed",  # by the requester in this request, as a whole token
    "found_by_your_words",  # an id from a look-up whose search words the requester typed
    "address_book",  # a directory that an administrator keeps
    "member",  # a person of the team
    "paid_before",  # an earlier payee
    "made_here",  # created in this run
    "member_text",  # written by a member in a channel or document of the team
    "outside_text",  # e-mail, web page, external channel, tool output without a label
    "nowhere",  # the model made it up
]

Decision = Literal["allow", "ask", "deny"]


class ToolSchema(Frozen):
    """What a model is told of a tool. Data only: holding it gives no way to act."""

    name: str
    description: str
    arguments: dict[str, Json]  # JSON Schema of the arguments


class ToolCall(Frozen):
    """What a model asks for."""

    id: str  # the model's id of this use, unique within its answer
    tool: str
    arguments: dict[str, Json]


class Labelled(Frozen):
    """A piece of what a tool returned, with where it comes from."""

    text: str
    origin: Origin = "outside_text"
    source: str = ""  # document id, URL, ...
    field: str = ""  # the field of a record whose whole value this is; empty: prose
    record: int = 0  # number of that record in the result, from 1
    names: bool = False  # the field says which record it is, or how to reach it: an id, a path, an address
    title: bool = False  # the field says what people call the record: "Acme", "plan.md"
    personal: bool = False  # personal or secret data: once it was read, nothing leaves without a person
    readers: tuple[str, ...] = ()  # who may read it ("channel:...", "person:..."); empty: the whole team


class ToolResult(Frozen):
    """What a tool returned. `content` is what the model reads; `pieces` say where each part of it comes from."""

    content: str
    pieces: tuple[Labelled, ...] = ()  # empty: the whole content is outside_text
    sources: tuple[Source, ...] = ()  # numbered by the loop, not by the tool
    data: Json = None  # for receipts and undo
    error: bool = False
    summary: str = ""  # one short sentence for progress rows and receipts


class RunFacts(Frozen):
    """What is known of a run when a call of it is judged. Nothing here comes from the model."""

    run_id: str
    ref: str
    segment: int
    agent: str
    requester: Person
    actor: Actor | None = None  # the account that asked
    roles: frozenset[str] = frozenset()  # of the requester, now
    place: Place
    channel_name: str = ""  # "#finance", as the charter calls it
    workflow: str | None = None  # set for unattended runs
    typed: tuple[str, ...] = ()  # what the requester typed in this request
    seen: tuple[Labelled, ...] = ()  # everything that the run has read so far
    next_answer_usd: float = 0.0  # what the model's next answer in the run may cost, as much as its last one might have

    @property
    def asked_from_outside(self) -> bool:
        """Whoever asked is a guest or somebody outside: what they typed gives no authority to anything."""
        return not self.requester.can_decide or (self.actor is not None and self.actor.is_external)

    @property
    def outside_text_read(self) -> bool:
        """It has read text that somebody outside wrote, or text of which nobody knows who did."""
        return self.asked_from_outside or any(piece.origin == "outside_text" for piece in self.seen)

    @property
    def personal_data_read(self) -> bool:
        """It has read personal or secret data."""
        return any(piece.personal for piece in self.seen)
