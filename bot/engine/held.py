"""Requests from while Bosun was away: fresh ones are answered, old ones wait until somebody says run or skip."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from kernel.errors import NotAllowed
from kernel.store import inbox, outbox
from kernel.types import Action, Card

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bot.engine.requests import Requests
    from kernel.clock import Clock
    from kernel.people import Directory
    from kernel.store import Session, Store
    from kernel.types import Actor, Inbound, Person, Place

FRESH = timedelta(minutes=15)  # a request that is older was perhaps overtaken by events
PREFIX = "H-"  # of the subject of the card; the channel's lane follows
ADMIN = "admin"


def is_old(inbound: Inbound, now: datetime) -> bool:
    """Found in history, and said so long ago that nothing is simply done about it."""
    return inbound.caught_up and inbound.sent_at is not None and now - inbound.sent_at > FRESH


class Held:
    """Keeps old requests of a channel back behind one card."""

    def __init__(self, store: Store, clock: Clock, directory: Directory, requests: Requests) -> None:
        self.store = store
        self.clock = clock
        self.directory = directory
        self.requests = requests

    def too_old(self, inbound: Inbound) -> bool:
        """Found in history, and said so long ago that it is not simply answered."""
        return is_old(inbound, self.clock.now())

    def hold(self, session: Session, row_id: str, inbound: Inbound, place: Place) -> None:
        """Keep the request, and show or extend the channel's card."""
        conversation = self.requests.conversation(session, place)
        if not inbox.settle(session, row_id, inbox.HELD, conversation_id=conversation.id):
            return
        waiting = inbox.held(session, place.lane)
        subject = f"{PREFIX}{place.lane}"
        body = _card(subject, waiting)
        shown = next((row for row in outbox.copies(session, subject) if _open(row)), None)
        if shown is None:
            outbox.put(session, f"held-{row_id}", place, body, self.clock.now(), subject=subject)
        else:
            outbox.revise(session, shown.id, body)

    async def decide(self, subject: str, verb: str, person: Person, actor: Actor) -> tuple[str, list[str]]:
        """Run or skip what is held; returns what to say, and the conversations that have something to do now."""
        lane = subject.removeprefix(PREFIX)
        waiting = await self.store.read(lambda session: inbox.held(session, lane))
        if not waiting:
            return "Nothing is held here any more.", []
        mine = any(row.inbound.actor.account == actor.account for row in waiting)
        if not mine and not await self.directory.holds(person, ADMIN, actor):
            raise NotAllowed("Only somebody whose request is held here, or an administrator, may decide this.")
        run = verb == "run"
        outcome = f"{person.name} had them {'run' if run else 'skipped'}."
        return await self.store.write(self._deciding(subject, [row.id for row in waiting], outcome, run=run))

    def _deciding(
        self, subject: str, row_ids: list[str], outcome: str, *, run: bool
    ) -> Callable[[Session], tuple[str, list[str]]]:
        def write(session: Session) -> tuple[str, list[str]]:
            freed = inbox.unhold(session, row_ids, inbox.WAITING if run else inbox.DONE)
            for copy in outbox.copies(session, subject):
                if _open(copy):
                    closed = Card(headline=f"{len(row_ids)} requests from while I was away", state=outcome)
                    outbox.revise(session, copy.id, closed)
            return (f"{len(freed)} taken up." if run else f"{len(freed)} skipped."), freed if run else []

        return write


def _open(row: outbox.OutboxRow) -> bool:
    return bool(row.body.get("actions"))


def _card(subject: str, waiting: list[inbox.InboxRow]) -> Card:
    listed = "\n".join(f"- {row.inbound.actor.name or 'Somebody'}: {_line(row.inbound.text)}" for row in waiting[:10])
    more = f"\n- … and {len(waiting) - 10} more" if len(waiting) > 10 else ""
    plural = "request" if len(waiting) == 1 else "requests"
    return Card(
        headline=f"{len(waiting)} {plural} from while I was away",
        state="Waiting: I was offline when these were made, and they may be out of date.",
        tone="waiting",
        text=listed + more,
        actions=(
            Action(subject=subject, verb="run", label="Run all", style="primary"),
            Action(subject=subject, verb="skip", label="Skip"),
        ),
        footer="Clicks and edits made meanwhile cannot be recovered.",
    )


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 100 else line[:99] + "…"
