"""What people do to an approval beside deciding it: looking at it where they are, taking it back, asking again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.people import RoleUnknownError
from kernel.store import approvals as rows
from rules.engine import endings, mailing, wording, writing
from rules.engine.cards import card
from rules.engine.policy import ADMIN
from rules.engine.record import outcome_of, preview_of
from rules.engine.standing import Standings
from rules.engine.wording import Reply, refused

if TYPE_CHECKING:
    from kernel.store import Session
    from kernel.store.approvals import ApprovalState
    from kernel.types import Actor, Person
    from rules.engine.services import Services


class Retiring:
    """Shows, withdraws and asks again."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.standings = Standings(services)

    async def review(self, ref: str, actor: Actor, *, of_batch: bool = False) -> str:
        """Send a copy of the card to whoever decides, or asked; it follows the approval like every other.

        `of_batch`: the card on which it stands together with others.
        """
        row = await self.services.store.read(lambda session: rows.by_ref(session, ref))
        if row is None:
            return wording.unknown(ref)
        person = self.services.directory.person(actor)
        try:
            may = person.id == self.services.directory.principal(row.requester)
            may = may or (await self.standings.of(row, person, actor)).counts
            may = may or bool(await self.standings.by_emergency(row, person, actor))
        except RoleUnknownError:
            return wording.cannot_verify()
        if not may:
            return wording.not_yours(row, person, actor, excluded=False)
        now, key = self.services.clock.now(), self.services.ids.new()

        def put(session: Session) -> bool:
            current = rows.by_id(session, row.id) or row
            subject, shown = writing.common(session, current) if of_batch else (row.ref, card(current))
            return mailing.put(session, key, actor, shown, now, run_id=row.run_id, subject=subject)

        await self.services.store.write(put)
        return f"{row.batch if of_batch else row.ref} is in your direct messages."

    async def withdraw(self, ref: str, reason: str, actor: Actor) -> Reply:
        """Take it back; for who asked, and an admin."""
        row = await self.services.store.read(lambda session: rows.by_ref(session, ref))
        if row is None:
            return refused(wording.unknown(ref))
        person = self.services.directory.person(actor)
        if person.id != self.services.directory.principal(row.requester) and not await is_admin(
            self.services, person, actor
        ):
            return refused(f"Only {preview_of(row).requester}, who asked for it, can withdraw {row.ref}.")
        if row.kind not in {"call", "raise"}:
            return refused(f"{row.ref} cannot be withdrawn: decide it, or stop the run {preview_of(row).run}.")
        return await self.services.store.write(lambda session: self._withdraw(session, ref, reason, person))

    def _withdraw(self, session: Session, ref: str, reason: str, person: Person) -> Reply:
        now = self.services.clock.now()
        row = rows.by_ref(session, ref, lock=True)
        if row is None:
            return refused(wording.unknown(ref))
        if row.state == rows.PENDING and row.expires_at is not None and row.expires_at <= now:
            writing.close(session, row, rows.EXPIRED, outcome_of(row), now)
        why = " ".join(reason.split())[:1000]
        said = f"{person.name} took it back{f': {why}' if why else ''}"
        if not endings.withdraw_one(session, row, said, now, person=person.id):
            return refused(wording.closed(row))
        return Reply(text=f"Withdrawn: {preview_of(row).headline}. The agent is told.", ok=True)

    def requested_again(self, session: Session, row: ApprovalState, run_ref: str) -> bool:
        """Say on the cards of an expired request that it was made again; False if it was before."""
        locked = rows.by_id(session, row.id, lock=True)
        if locked is None or locked.state != rows.EXPIRED or outcome_of(locked).again:
            return False
        writing.note(session, locked, outcome_of(locked).model_copy(update={"again": run_ref}))
        writing.redraw(session, locked)
        return True


async def is_admin(services: Services, person: Person, actor: Actor) -> bool:
    """Whether the person certainly is an administrator."""
    try:
        return person.can_decide and await services.directory.holds(person, ADMIN, actor)
    except RoleUnknownError:
        return False
