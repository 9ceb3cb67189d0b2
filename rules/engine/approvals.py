"""Approvals as the other rooms use them: asking, voting, editing, ending, explaining."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kernel.errors import NotFound
from kernel.store import approvals as rows
from kernel.store import outbox
from kernel.types import Press
from rules.engine import endings, wording, writing
from rules.engine.batches import Batches
from rules.engine.batching import is_batch
from rules.engine.cards import card
from rules.engine.clockwork import Clockwork
from rules.engine.dialogs import OPEN_FORMS, Dialogs
from rules.engine.digests import Digests, body
from rules.engine.edits import Edits
from rules.engine.explaining import Explaining, not_a_dm
from rules.engine.grants import Grants
from rules.engine.inquiries import Inquiries
from rules.engine.questions import Questions
from rules.engine.requests import Requests
from rules.engine.retiring import Retiring
from rules.engine.votes import Ballot, Votes
from rules.engine.wording import Reply, refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from kernel.store import Session
    from kernel.store.approvals import ApprovalState
    from kernel.types import Actor, Form, Person, Place, Text
    from rules.engine.edits import Show
    from rules.engine.explaining import Reads, Waiting
    from rules.engine.services import Services

REFERENCE = re.compile(r"[A-Z]{1,4}-[0-9A-Z]{1,20}")


class Approvals:
    """The requests for human decisions, and everything that can happen to them."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.requests = Requests(services)  # for the door
        self.questions = Questions(services, self.requests)  # for workflows
        self._votes = Votes(services)
        self._edits = Edits(services)
        self.grants = Grants(services, self._edits)  # for the door, and for `grants`
        self._explaining = Explaining(services)
        self._inquiries = Inquiries(services)
        self._retiring = Retiring(services)
        self._batches = Batches(services, self._votes, self._retiring)
        self._dialogs = Dialogs(services, self._votes, self._edits)
        self._clockwork = Clockwork(services)
        self._digests = Digests(services, self._explaining)
        self._presses: dict[str, Callable[[Press, Actor], Awaitable[str]]] = {
            "edit": self._press_edit,
            "grant": lambda press, actor: self.grant(press.subject, press.revision, press.fields, actor),
            "once": lambda press, actor: self.grant(press.subject, press.revision, None, actor),
            "details": lambda press, actor: self.why(press.subject, services.directory.person(actor)),
            "review": lambda press, actor: self._retiring.review(press.subject, actor),
            "ask": lambda press, actor: self.ask(press.subject, press.fields.get("text", ""), actor),
            "answer": lambda press, actor: self.answer_question(press.subject, press.fields.get("text", ""), actor),
            "withdraw": lambda press, actor: self.withdraw_one(press.subject, press.fields.get("reason", ""), actor),
        }

    def show_with(self, show: Show) -> None:
        """How tools show a call; the door alone can ask them."""
        self._edits.show = show

    # -- deciding -----------------------------------------------------------------------------------------------

    async def vote(
        self,
        ref: str,
        revision: int | None,
        verb: str,
        actor: Actor,
        *,
        reason: str = "",
        target: str = "",
        event: str = "",
    ) -> Reply:
        """Record one person's answer. `revision` is what the person saw; None where they named only the reference.

        Verbs: approve, reject, break_glass; for an unknown outcome done, repeat and give_up. Never raises for what a
        person did wrong: the reply says it. The same `event`, dealt with again, is the same answer.
        """
        return await self._vote(ref, revision, verb, actor, reason=reason, target=target, event=event)

    async def _vote(
        self,
        ref: str,
        revision: int | None,
        verb: str,
        actor: Actor,
        *,
        reason: str,
        target: str,
        seen: ApprovalState | None = None,
        event: str = "",
    ) -> Reply:
        if not _is_reference(ref):
            return refused(wording.unknown(ref))
        ballot = Ballot(
            ref=ref.upper(),
            revision=revision,
            verb=verb,
            actor=actor,
            reason=_storable(reason).strip(),
            target=target.strip(),
            unseen=revision is None,
            event=event,
        )
        return await self._votes.cast(ballot, seen)

    async def edit(self, ref: str, revision: int, fields: Mapping[str, str], actor: Actor, event: str = "") -> Reply:
        """Make a new revision with what was typed into the fields of the edit form."""
        if not _is_reference(ref):
            return refused(wording.unknown(ref))
        return await self._edits.edit(ref.upper(), revision, fields, actor, event)

    async def form(self, press: Press, actor: Actor) -> Form | None:
        """The dialog that this press opens; None where the press counts by itself.

        NotFound, OutOfDate and NotAllowed say why there is no dialog for this person.
        """
        if is_batch(press.subject):
            return await self._batches.form(press, actor)
        if press.verb not in OPEN_FORMS:
            return None
        return await self._dialogs.of(await self._looked_up(press.subject), press, actor)

    async def answer(self, press: Press, actor: Actor) -> Form | str:
        """What comes of a press: the dialog that it opens, or, once it counts, what to tell the person privately.

        NotFound, OutOfDate and NotAllowed say why there is no dialog for this person.
        """
        if is_batch(press.subject):
            return await self._batches.answer(press.model_copy(update={"fields": _cleaned(press.fields)}), actor)
        if press.fields or press.verb not in OPEN_FORMS:
            return await self.press(press, actor)
        row = await self._looked_up(press.subject)
        form = await self._dialogs.of(row, press, actor)
        if form is not None:
            return form
        reply = await self._vote(
            press.subject, press.revision, press.verb, actor, reason="", target="", seen=row, event=press.event
        )
        return reply.text

    async def _looked_up(self, ref: str) -> ApprovalState:
        row = None
        if _is_reference(ref):
            row = await self.services.store.read(lambda session: rows.by_ref(session, ref))
        if row is None:
            raise NotFound(wording.unknown(ref))
        return row

    async def press(self, press: Press, actor: Actor) -> str:
        """Do what a pressed button or a submitted dialog says; returns what to tell the person privately."""
        if is_batch(press.subject):
            return await self._batches.press(press.model_copy(update={"fields": _cleaned(press.fields)}), actor)
        own = self._presses.get(press.verb)
        if own is not None:
            return await own(press, actor)
        reply = await self.vote(
            press.subject,
            press.revision,
            press.verb,
            actor,
            reason=press.fields.get("reason", ""),
            target=press.fields.get("target", ""),
            event=press.event,
        )
        return reply.text

    async def _press_edit(self, press: Press, actor: Actor) -> str:
        return (await self.edit(press.subject, press.revision, press.fields, actor, press.event)).text

    async def decide(self, ref: str, verb: str, actor: Actor, words: str, event: str = "") -> str:
        """`approve AP-7F3K` or `reject AP-7F3K because ...` as text; returns what to tell the person privately.

        Where the policy wants the target typed, it is what stands behind the reference. `BA-...` is all on that card.
        """
        if is_batch(ref):
            said = Press(subject=ref, verb=verb, fields=_cleaned({"reason": words}), event=event)
            return await self._batches.press(said, actor, current=True)
        reason = "" if verb == "approve" else words
        target = words if verb == "approve" else ""
        return (await self.vote(ref, None, verb, actor, reason=reason, target=target, event=event)).text

    async def grant(self, ref: str, revision: int | None, fields: Mapping[str, str] | None, actor: Actor) -> str:
        """Propose a standing permission together with the approval (`calls`, `lasts`), and approve both.

        Without fields, take the proposal back. Returns what to tell the person privately.
        """
        if not _is_reference(ref):
            return wording.unknown(ref)
        reply, made = await self.grants.propose(ref.upper(), revision, fields, actor)
        if not reply.ok or fields is None:
            return reply.text
        return (await self.vote(ref, made, "approve", actor)).text

    # -- asking and taking back -----------------------------------------------------------------------------------

    async def ask(self, ref: str, text: str, actor: Actor) -> str:
        """Ask the requester something before deciding; returns what to tell the person privately."""
        if not _is_reference(ref):
            return wording.unknown(ref)
        return (await self._inquiries.ask(ref.upper(), _storable(text), actor)).text

    async def answer_question(self, ref: str, text: str, actor: Actor) -> str:
        """Answer the oldest open question about what one asked for."""
        if not _is_reference(ref):
            return wording.unknown(ref)
        return (await self._inquiries.answer(ref.upper(), _storable(text), actor)).text

    async def withdraw_one(self, ref: str, reason: str, actor: Actor) -> str:
        """Take back what one asked for, before it is done."""
        if is_batch(ref):
            said = Press(subject=ref, verb="withdraw", fields=_cleaned({"reason": reason}))
            return await self._batches.press(said, actor, current=True)
        if not _is_reference(ref):
            return wording.unknown(ref)
        return (await self._retiring.withdraw(ref.upper(), _storable(reason), actor)).text

    # -- ending -------------------------------------------------------------------------------------------------

    async def expire_due(self, now: datetime) -> int:
        """Expire everything whose time is up; returns how many. Safe to call anywhere, any number of times."""
        total = 0
        while ended := await self.services.store.write(lambda session: endings.expire(session, now)):
            total += ended
        return total

    async def run_due(self, now: datetime) -> int:
        """Write to people, remind them and ask further roles, where it is time; returns how much was done."""
        return await self._clockwork.run_due(now)

    async def send_digests(self, now: datetime) -> int:
        """Tell people what waits for them, where it is time; returns how many messages."""
        return await self._digests.run_due(now)

    async def next_expiry(self) -> datetime | None:
        """When the next approval expires; the topic `approvals` says when to ask again."""
        return await self.services.store.read(rows.next_expiry)

    def withdraw(self, session: Session, run_id: str, reason: str) -> int:
        """Withdraw what a run that is stopped or has failed still waits for, in the caller's transaction."""
        return endings.withdraw(session, run_id, reason, self.services.clock.now())

    # -- showing ------------------------------------------------------------------------------------------------

    async def why(self, ref: str, person: Person | None = None, *, reads: Reads = not_a_dm) -> str:
        """Why it was asked, by which rule, what has become of it, and the receipt; for an approval or a run. Markdown.

        `reads` says what the person can read. Whoever reads a card of it can read where it was asked.
        """
        if is_batch(ref):
            return await self._batches.why(ref, person, reads)
        if not _is_reference(ref):
            return wording.unknown(ref)
        return await self._explaining.why(ref.upper(), person, reads)

    async def waiting_for(self, person: Person, actor: Actor | None = None, limit: int = 50) -> list[Waiting]:
        """What this person can decide now and has not voted on, oldest first."""
        return await self._explaining.waiting_for(person, actor, limit)

    async def waiting(self, person: Person, actor: Actor) -> Text:
        """The same as a message, with buttons."""
        return body(await self.waiting_for(person, actor, 500))

    async def refresh(self) -> int:
        """Draw the cards of everything that waits again, after a start or a change of the charter."""

        def redraw_all(session: Session) -> int:
            pending = rows.pending(session, 100_000)
            for row in pending:
                writing.redraw(session, row)
            return len(pending)

        return await self.services.store.write(redraw_all)

    async def show_again(self, ref: str, place: Place) -> bool:
        """Post a further copy of the card; it follows the approval like every other. False if there is none."""

        def put(session: Session) -> bool:
            row = rows.by_ref(session, ref)
            if row is None:
                return False
            now = self.services.clock.now()
            copy_id = self.services.ids.new()
            outbox.put(session, copy_id, place, card(row), now, run_id=row.run_id, subject=row.ref)
            return True

        return await self.services.store.write(put)


def _is_reference(text: str) -> bool:
    return REFERENCE.fullmatch(text.upper()) is not None


def _storable(text: str) -> str:
    """Text as every database and platform takes it: no zero bytes, no half characters."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()


def _cleaned(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: _storable(text) for name, text in fields.items()}
