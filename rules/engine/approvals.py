"""Approvals as the other rooms use them: asking, voting, editing, ending, explaining."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kernel.errors import NotAllowed, NotFound, OutOfDate
from kernel.people import RoleUnknownError
from kernel.store import approvals as rows
from kernel.store import outbox
from rules.engine import endings, forms, wording, writing
from rules.engine.cards import card
from rules.engine.edits import Edits
from rules.engine.explaining import Explaining
from rules.engine.questions import Questions
from rules.engine.record import policy_of
from rules.engine.requests import Requests
from rules.engine.standing import standing_of
from rules.engine.votes import Ballot, Votes
from rules.engine.wording import Reply, refused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from kernel.store import Session
    from kernel.store.approvals import ApprovalState
    from kernel.types import Actor, Form, Person, Place, Press
    from rules.engine.explaining import Waiting
    from rules.engine.services import Services

REFERENCE = re.compile(r"[A-Z]{1,4}-[0-9A-Z]{1,20}")
OPEN_FORMS = frozenset({"approve", "reject", "edit"})  # verbs of presses that may open a dialog


class Approvals:
    """The requests for human decisions, and everything that can happen to them."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.requests = Requests(services)  # for the door
        self.questions = Questions(services, self.requests)  # for workflows
        self._votes = Votes(services)
        self._edits = Edits(services)
        self._explaining = Explaining(services)

    # -- deciding -----------------------------------------------------------------------------------------------

    async def vote(
        self, ref: str, revision: int | None, verb: str, actor: Actor, *, reason: str = "", target: str = ""
    ) -> Reply:
        """Record one person's answer. `revision` is what the person saw; None where they named only the reference.

        Verbs: approve and reject; for an unknown outcome done, repeat and give_up. Never raises for what a person
        did wrong: the reply says it.
        """
        return await self._vote(ref, revision, verb, actor, reason=reason, target=target)

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
        )
        return await self._votes.cast(ballot, seen)

    async def edit(self, ref: str, revision: int, fields: Mapping[str, str], actor: Actor) -> Reply:
        """Make a new revision with what was typed into the fields of the edit form."""
        if not _is_reference(ref):
            return refused(wording.unknown(ref))
        return await self._edits.edit(ref.upper(), revision, fields, actor)

    async def form(self, press: Press, actor: Actor) -> Form | None:
        """The dialog that this press opens; None where the press counts by itself.

        NotFound, OutOfDate and NotAllowed say why there is no dialog for this person.
        """
        if press.verb not in OPEN_FORMS:
            return None
        return await self._form(await self._looked_up(press.subject), press, actor)

    async def answer(self, press: Press, actor: Actor) -> Form | str:
        """What comes of a press: the dialog that it opens, or, once it counts, what to tell the person privately.

        NotFound, OutOfDate and NotAllowed say why there is no dialog for this person.
        """
        if press.fields or press.verb not in OPEN_FORMS:
            return await self.press(press, actor)
        row = await self._looked_up(press.subject)
        form = await self._form(row, press, actor)
        if form is not None:
            return form
        reply = await self._vote(press.subject, press.revision, press.verb, actor, reason="", target="", seen=row)
        return reply.text

    async def _looked_up(self, ref: str) -> ApprovalState:
        row = None
        if _is_reference(ref):
            row = await self.services.store.read(lambda session: rows.by_ref(session, ref))
        if row is None:
            raise NotFound(wording.unknown(ref))
        return row

    async def _form(self, row: ApprovalState, press: Press, actor: Actor) -> Form | None:
        if press.verb == "approve" and not policy_of(row).confirm:
            return None
        await self._may_decide(row, press, actor)
        if press.verb == "edit":
            return await self._edit_form(row, press, actor)
        return forms.reject_form(row) if press.verb == "reject" else forms.target_form(row)

    async def press(self, press: Press, actor: Actor) -> str:
        """Do what a pressed button or a submitted dialog says; returns what to tell the person privately."""
        if press.verb == "edit":
            return (await self.edit(press.subject, press.revision, press.fields, actor)).text
        if press.verb == "details":
            return await self.why(press.subject, self.services.directory.person(actor))
        reply = await self.vote(
            press.subject,
            press.revision,
            press.verb,
            actor,
            reason=press.fields.get("reason", ""),
            target=press.fields.get("target", ""),
        )
        return reply.text

    async def decide(self, ref: str, verb: str, actor: Actor, words: str) -> str:
        """`approve AP-7F3K` or `reject AP-7F3K because ...` as text; returns what to tell the person privately.

        Where the policy wants the target typed, it is what stands behind the reference.
        """
        reason = words if verb == "reject" else ""
        target = words if verb == "approve" else ""
        return (await self.vote(ref, None, verb, actor, reason=reason, target=target)).text

    async def _may_decide(self, row: ApprovalState, press: Press, actor: Actor) -> None:
        person = self.services.directory.person(actor)
        try:
            standing = await standing_of(self.services.directory, person, policy_of(row), row.requester, actor)
        except RoleUnknownError as error:
            raise NotAllowed(wording.cannot_verify()) from error
        if not standing.counts:
            ballot = Ballot(ref=row.ref, revision=press.revision, verb=press.verb, actor=actor)
            raise NotAllowed((await self._votes.turn_away(row, person, standing, ballot)).text)
        if row.state != rows.PENDING:
            raise OutOfDate(wording.closed(row))
        if press.revision != row.revision:
            raise OutOfDate(wording.old_revision(row, press.revision))

    async def _edit_form(self, row: ApprovalState, press: Press, actor: Actor) -> Form:
        person = self.services.directory.person(actor)
        complaint = await self._edits.complaint(row, press.revision, person, actor)
        tool = self.services.tools.get(row.tool)
        form = forms.edit_form(row, tool) if tool is not None and not complaint else None
        if form is None:
            raise NotAllowed(complaint or f"{row.ref} is too long for a dialog. Reject it and say what should change.")
        return form

    # -- ending -------------------------------------------------------------------------------------------------

    async def expire_due(self, now: datetime) -> int:
        """Expire everything whose time is up; returns how many. Safe to call anywhere, any number of times."""
        total = 0
        while ended := await self.services.store.write(lambda session: endings.expire(session, now)):
            total += ended
        return total

    async def next_expiry(self) -> datetime | None:
        """When the next approval expires; the topic `approvals` says when to ask again."""
        return await self.services.store.read(rows.next_expiry)

    def withdraw(self, session: Session, run_id: str, reason: str) -> int:
        """Withdraw what a run that is stopped or has failed still waits for, in the caller's transaction."""
        return endings.withdraw(session, run_id, reason, self.services.clock.now())

    # -- showing ------------------------------------------------------------------------------------------------

    async def why(self, ref: str, person: Person | None = None) -> str:
        """Why it was asked, by which rule, and what has become of it; for an approval or a run. Markdown."""
        if not _is_reference(ref):
            return wording.unknown(ref)
        return await self._explaining.why(ref.upper(), person)

    async def waiting_for(self, person: Person, actor: Actor | None = None, limit: int = 50) -> list[Waiting]:
        """What this person can decide now and has not voted on, oldest first."""
        return await self._explaining.waiting_for(person, actor, limit)

    async def waiting(self, person: Person, actor: Actor) -> str:
        """The same as Markdown."""
        return await self._explaining.waiting(person, actor)

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
