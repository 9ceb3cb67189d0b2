"""What a chat platform must be able to do for Bosun. The core asks capabilities, never which platform it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from kernel.errors import PlatformError
from kernel.types import Actor, Dashboard, FileRef, Form, Frozen, Inbound, Place, Quoted

if TYPE_CHECKING:
    from kernel.store import Session
    from kernel.store.outbox import Claimed


class Capabilities(Frozen):
    """What the platform offers; what it lacks has a fallback in the core."""

    threads: bool = True  # answers go to a thread below the message
    edits: bool = True  # a posted message can be changed
    notices: bool = True  # a message that only one person sees
    forms: bool = True  # dialogs
    working_state: bool = False  # a thread can show "working" and "waiting"
    edit_interval: float = 1.0  # seconds between edits of a message that is only progress
    edit_share: float = 0.0  # seconds between edits for each message that grows at the same time: one rate for all
    post_interval: float = 0.0  # seconds between posts in one channel, in the long run
    post_burst: int = 1  # posts that a quiet channel takes at once
    dm_threads: bool = True  # in a DM too, an answer goes to a thread below its message
    opens: bool = True  # it tells who looks at their direct messages, and there suggests what to say
    time_to_progress: float = 2.0  # seconds of work before a progress object is shown


@dataclass(frozen=True, kw_only=True, slots=True)
class Sign:
    """A quick sign that is never the only record: sent at once, not stored, lost without harm."""

    where: Place
    extra: dict[str, Any]  # what `Adapter.react` or `Adapter.status` says


class NoRoomError(PlatformError):
    """There is no room for signs at the moment: they give way before a rate is reached."""


class Heard(Quoted):
    """A message that was read from the platform."""

    thread: str | None = None  # the root of the thread that it stands in, where the platform says so by itself
    files: tuple[FileRef, ...] = ()


Awaited = Callable[[Place, str], bool]  # whether a workflow waits for an emoji (name or character) on a message there


def nobody_waits(_place: Place, _emoji: str) -> bool:
    """Where there are no workflows."""
    return False


class HomePages(Protocol):
    """A platform on which each person has a page of their own with Bosun."""

    async def publish_home(self, actor: Actor, value: Dashboard) -> None:
        """Show a person's dashboard on their page. PlatformError where it cannot be shown now."""
        ...


class VoteMarks(Protocol):
    """A platform that shows each person at the buttons below an answer what they said of it."""

    def show_vote(self, session: Session, actor: Actor, subject: str, verb: str) -> None:
        """The button with this verb is the pressed one from now on; none where it is empty."""
        ...


class Receiver(Protocol):
    """How an adapter hands over an event. Returns after the event is stored; only then may it be acknowledged."""

    async def __call__(self, inbound: Inbound) -> None:
        """Store the event. Raises StoreError if that fails: do not acknowledge, the platform sends it again."""
        ...


class Adapter(Protocol):
    """A platform. Each call of `post` and `edit` gets an outbox row and makes the platform show what it says.

    Errors: RateLimited, TargetGone, OutcomeUnknown, any other PlatformError is worth another try.
    """

    platform: str
    capabilities: Capabilities

    @property
    def tenant(self) -> str:
        """The workspace that it serves; known once it is connected."""
        ...

    async def start(self, receive: Receiver) -> None:
        """Connect and begin to deliver events; returns once connected. Catches up on what was missed."""
        ...

    async def stop(self) -> None:
        """Disconnect. Events after this are the platform's to send again."""
        ...

    async def post(self, row: Claimed) -> str:
        """Show the row's body for the first time; returns the platform's id of the message."""
        ...

    async def edit(self, row: Claimed) -> None:
        """Bring the message `row.remote_id` to the row's body."""
        ...

    async def find(self, row: Claimed) -> str | None:
        """The platform's id of a row that may have been posted before a crash; None if it certainly was not."""
        ...

    async def notice(self, row: Claimed) -> None:
        """Show the row's body to `row.to` only."""
        ...

    async def react(self, sign: Sign) -> None:
        """Put the reaction `extra["name"]` on message `extra["target"]`, or take it off where `extra["remove"]`."""
        ...

    async def status(self, sign: Sign) -> None:
        """Show the thread's state `extra["state"]`: processing, suspended (waits for people) or active (idle)."""
        ...

    async def upload(self, row: Claimed) -> str:
        """Post a file: `extra` has name, content (text), alt, comment."""
        ...

    async def open_form(self, trigger: str, form: Form) -> None:
        """Open a dialog for whoever pressed; PlatformError if the trigger is too old."""
        ...

    async def thread(self, place: Place, limit: int = 40) -> list[Heard]:
        """The last messages of the thread, its root first."""
        ...

    async def read(self, place: Place, message: str) -> Heard:
        """That message of the channel or of the place's thread; TargetGone where it is gone."""
        ...

    async def download(self, file: FileRef, limit: int) -> bytes:
        """The file's content; ToolError if it is larger than `limit` bytes or is not the file."""
        ...

    async def group_members(self, group: str) -> frozenset[str]:
        """Account keys of the members of a user group or server role; PlatformError where it cannot be told."""
        ...

    async def may_read(self, place: Place, user: str) -> bool:
        """Whether the platform shows the channel to this account; PlatformError where it cannot be told."""
        ...

    async def direct(self, actor: Actor) -> Place:
        """The DM with this account."""
        ...

    def permalink(self, place: Place, message: str) -> str:
        """A link that opens the message; empty where there is none."""
        ...
