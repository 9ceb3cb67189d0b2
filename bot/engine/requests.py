"""From a message to a run: the conversation it belongs to, who asks, which agent answers, what stood there before."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from kernel.store import inbox, runs
from kernel.types import Frozen, Inbound, Json, Person, Place, Quoted

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bot.engine.adapter import Heard
    from kernel.clock import Clock, Ids
    from kernel.people import Directory
    from kernel.store import Session

Conversation = runs.Conversation | runs.NewConversation
DM_IDLE = timedelta(minutes=30)  # without a word, after which a DM without threads begins anew
TITLE = 60  # characters


class Choice(Frozen):
    """Which agent answers, and the text without the address."""

    agent: str
    text: str


class Chooser(Protocol):
    """Chooses the agent for a request."""

    def choose(self, text: str, channel: str, current: str | None) -> Choice:
        """By explicit address, else the agent of the thread or channel, else the one that fits best."""
        ...


class Requests:
    """Opens conversations and begins runs, inside the transaction of the caller."""

    def __init__(
        self, clock: Clock, ids: Ids, directory: Directory, chooser: Chooser, engaged_for: Callable[[Place], timedelta]
    ) -> None:
        """`engaged_for`: how long a thread there stays ours after we last took part."""
        self.engaged_for = engaged_for
        self.clock = clock
        self.ids = ids
        self.directory = directory
        self.chooser = chooser

    def engaged(self, session: Session, place: Place, now: datetime) -> bool:
        """Whether messages in this thread are meant for us without a mention."""
        conversation = runs.conversation_at(session, place)
        return conversation is not None and now - conversation.active_at < self.engaged_for(place)

    def conversation(self, session: Session, place: Place, *, new: bool = False) -> Conversation:
        """The conversation in this thread, begun if there is none. `new`: most likely there is none."""
        known = None if new else runs.conversation_at(session, place, lock=True)
        if known is not None and not self._is_over(known, place):
            return known
        if known is not None:
            runs.close_conversation(session, known.id)
        conversation_id, now = self.ids.new(), self.clock.now()
        return runs.open_conversation(session, place, conversation_id, now) or self.conversation(session, place)

    def take_part(self, session: Session, inbound: Inbound, place: Place) -> None:
        """A thread that begins with words to us is ours, also where they were a command or none at all."""
        if place.thread is not None and place.thread == inbound.message:
            self.conversation(session, place)

    def begins_anew(self, session: Session, place: Place) -> bool:
        """Whether what is said now begins another conversation because the last one was quiet for long."""
        if place.kind != "dm" or place.thread is not None:
            return False
        known = runs.conversation_at(session, place)
        return known is not None and self._is_over(known, place)

    def _is_over(self, conversation: runs.Conversation, place: Place) -> bool:
        """A DM without threads is one conversation until it was quiet for a while."""
        flat = place.kind == "dm" and place.thread is None and conversation.active_run_id is None
        return flat and self.clock.now() - conversation.active_at > DM_IDLE

    def begin(
        self,
        session: Session,
        conversation: Conversation,
        messages: list[tuple[str, Inbound]],
        *,
        person: Person,
        channel: str,
        heard: list[Heard],
    ) -> runs.NewRun | None:
        """Begin one run for these messages (inbox row id, event); None if another worker was first."""
        run_id, now = self.ids.new(), self.clock.now()
        settled = [
            inbox.settle(session, row_id, conversation_id=conversation.id, run_id=run_id) for row_id, _ in messages
        ]
        messages = [message for message, mine in zip(messages, settled, strict=True) if mine]
        if not messages:
            return None
        first = messages[0][1]
        choice = self.chooser.choose(
            "\n".join(inbound.text for _, inbound in messages).strip(), channel, conversation.agent
        )
        run = runs.NewRun(
            id=run_id,
            ref=runs.free_ref(session, self.ids),
            conversation_id=conversation.id,
            agent=choice.agent,
            requester=person.id,
            requester_actor=first.actor.model_dump(mode="json", exclude_defaults=True),
            place=conversation.where.model_dump(mode="json", exclude_defaults=True),
            request=choice.text,
            created_at=now,
        )
        runs.begin(session, run, _entry(messages, choice.text, person, heard))
        runs.engage(session, conversation.id, choice.agent, run_id, now)
        return run


def _entry(messages: list[tuple[str, Inbound]], text: str, person: Person, heard: list[Heard]) -> Json:
    about = [inbound.about for _, inbound in messages if inbound.about is not None]
    own = {inbound.message for _, inbound in messages} | {line.message for line in about}
    return {
        "text": text,
        "actor": messages[0][1].actor.model_dump(mode="json", exclude_defaults=True),
        "person": person.model_dump(mode="json", exclude_defaults=True),
        "messages": [inbound.message for _, inbound in messages if inbound.message],
        "files": [file.model_dump(mode="json") for _, inbound in messages for file in inbound.files],
        "context": [_line(line) for line in heard if line.message not in own],
        "about": [_line(line) for line in about],
    }


def _line(line: Quoted) -> Json:
    return line.model_dump(mode="json", exclude={"files"}, exclude_defaults=True)
