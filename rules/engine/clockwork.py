"""What happens to approvals because time passes: people are written to, reminded, and further roles are asked.

Each is a row with its due time. Who has to be told is looked up first; then one transaction claims the row and writes
everything, so that it happens once on any number of processes, and not at all if the approval is decided meanwhile.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from kernel.people import RoleUnknownError
from kernel.store import approval_clocks as clocks
from kernel.store import approvals as rows
from kernel.store import outbox, told
from kernel.types import Text
from rules.engine import planning, stages, wording, writing
from rules.engine.mailing import Mailing, review_button
from rules.engine.policy import listed
from rules.engine.quiet import quiet_until
from rules.engine.record import outcome_of, policy_of, preview_of
from rules.engine.standing import Standings

if TYPE_CHECKING:
    from datetime import datetime

    from kernel.store import Session
    from kernel.store.approval_clocks import ApprovalClock
    from kernel.store.approvals import ApprovalState
    from kernel.types import Person
    from rules.engine.services import Services

log = logging.getLogger(__name__)

LATER = timedelta(minutes=1)  # until a role that cannot be looked up is asked for again
THROTTLE = timedelta(hours=4)  # between two reminders about one approval


class Clockwork:
    """Does what is due."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.standings = Standings(services)
        self.mailing = Mailing(services)

    async def run_due(self, now: datetime) -> int:
        """Do everything that is due; returns how much. Safe to call anywhere, any number of times."""
        done = 0
        for row in await self.services.store.read(lambda session: clocks.due(session, now)):
            done += await self._one(row, now)
        return done

    async def _one(self, due: ApprovalClock, now: datetime) -> bool:
        approval = await self.services.store.read(lambda session: rows.by_id(session, due.approval_id))
        people: tuple[Person, ...] = ()
        if approval is not None and approval.state == rows.PENDING:
            try:
                people = await self._people(approval, due)
            except RoleUnknownError as error:
                log.warning("%s of %s waits: %s", due.name, approval.ref, error)
                await self.services.store.write(lambda session: clocks.put_off(session, due, now + LATER))
                return False
        return await self.services.store.write(lambda session: self._do(session, due, people, now))

    async def _people(self, row: ApprovalState, due: ApprovalClock) -> tuple[Person, ...]:
        """Who is asked at this moment and has not voted."""
        policy, votes = policy_of(row), outcome_of(row).votes
        asked = stages.groups_of(policy, stages.current(policy, votes))
        groups = {planning.group_of(due.name)} & asked if due.kind == clocks.ESCALATE else asked
        missing = [number for number in sorted(groups) if not stages.satisfied(policy, number, votes)]
        voted = {one for vote in votes for one in (vote.id, vote.seat)}
        found = await self.standings.deciders(row, missing)
        return tuple(person for person in found if person.id not in voted)

    def _do(self, session: Session, due: ApprovalClock, people: tuple[Person, ...], now: datetime) -> bool:
        row = rows.by_id(session, due.approval_id, lock=True)  # before the claim, in the order in which votes lock
        if not clocks.claim(session, due, now):
            return False
        if row is None or row.state != rows.PENDING or (row.expires_at is not None and row.expires_at <= now):
            return False
        if due.kind == clocks.INVITE:
            self.mailing.invite(session, row, people, now)
        elif due.kind == clocks.ESCALATE:
            self._escalate(session, row, planning.group_of(due.name), people, now)
        else:
            self._remind(session, row, planning.number_of(due.name), people, now)
        return True

    def _escalate(
        self, session: Session, row: ApprovalState, number: int, people: tuple[Person, ...], now: datetime
    ) -> None:
        """Say on the card, in the thread and to the people themselves that further roles are asked."""
        policy, outcome = policy_of(row), outcome_of(row)
        if stages.satisfied(policy, number, outcome.votes):
            return
        group = policy.groups[number]
        begun = outcome.stage_at or row.created_at
        late = tuple(role for role in group.who_after(now - begun) if role not in group.who)
        fresh = tuple(role for role in late if role not in outcome.escalated)
        if not fresh:
            return
        escalated = (*outcome.escalated, *fresh)
        writing.note(session, row, outcome.model_copy(update={"escalated": escalated}))
        writing.tell(session, now, "approval.escalated", row, roles=list(fresh))
        writing.redraw(session, row)
        name = writing.name(session, row)
        text = f"Nobody has decided about {name} yet, so {listed(fresh)} can decide as well: {wording.tally(row)}."
        place = preview_of(row).place
        key = f"{row.batch or row.id}-escalated-{len(escalated)}"
        outbox.put(session, key, place, Text(markdown=text), now, run_id=row.run_id)
        self.mailing.invite(session, row, people, now)

    def _remind(
        self, session: Session, row: ApprovalState, number: int, people: tuple[Person, ...], now: datetime
    ) -> None:
        """One reply in the thread and one direct message to each who has not voted, but not in their quiet hours."""
        late = [each for each in people if self._may_remind(session, row, number, each, now)]
        about, name = row.batch or row.id, writing.name(session, row)
        thread = told.last(session, THREAD, about, told.REMINDER)
        if people and (thread is None or now - thread >= THROTTLE):
            told.add(session, THREAD, about, told.REMINDER, now, number)
            body = Text(markdown=_reminder(row, name, people))
            outbox.put(session, f"{about}-reminder-{number}", preview_of(row).place, body, now, run_id=row.run_id)
        if late:
            writing.tell(session, now, "approval.reminded", row, people=[each.id for each in late])
        for person in late:
            if self.mailing.has_room(session, person, now):
                told.add(session, person.id, about, told.REMINDER, now, number)
                body = Text(markdown=_personal(row, name), actions=(review_button(row),))
                self.mailing.send(session, f"{about}-reminder-{number}-{person.id}", row, person, body, now)

    def _may_remind(self, session: Session, row: ApprovalState, number: int, person: Person, now: datetime) -> bool:
        """Not twice within four hours, and not at night: then the reminder comes in the morning, if there is one."""
        last = told.last(session, person.id, row.batch or row.id, told.REMINDER)
        if last is not None and now - last < THROTTLE:
            return False
        until = quiet_until(person, now)
        if until is None:
            return True
        if row.expires_at is None or until < row.expires_at:
            name = f"remind-{number}-{until:%Y%m%dT%H%M}"
            clocks.add(session, row.id, [(name, clocks.REMIND, until)])
        return False


THREAD = ":thread"  # who is told where a thread is


def _personal(row: ApprovalState, name: str) -> str:
    headline = wording.plain_markdown(preview_of(row).headline)
    when = wording.clock(row.expires_at)
    return f"**{name}** still waits for you: “{headline}”. {wording.tally(row)}, until {when}."


def _reminder(row: ApprovalState, name: str, people: tuple[Person, ...]) -> str:
    names = wording.listed(wording.plain_markdown(person.name) for person in people[:10])
    more = f" and {len(people) - 10} others" if len(people) > 10 else ""
    return f"{name} still waits for {names}{more}: {wording.tally(row)}, until {wording.clock(row.expires_at)}."
