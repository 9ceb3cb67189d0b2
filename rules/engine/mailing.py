"""Direct messages about approvals: the copy of a card for each who decides, within what one person is sent an hour."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from kernel.store import outbox, told
from kernel.types import Action, Place
from rules.engine import writing
from rules.engine.record import preview_of

if TYPE_CHECKING:
    from datetime import datetime

    from kernel.store import Session
    from kernel.store.approvals import ApprovalState
    from kernel.types import Actor, Body, Person
    from rules.engine.services import Services

MOST = 10  # copies of one card in direct messages; who gets none has the channel and `approvals`
HOUR = timedelta(hours=1)


class Mailing:
    """Writes direct messages into the outbox, in the caller's transaction."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def invite(self, session: Session, row: ApprovalState, people: tuple[Person, ...], now: datetime) -> None:
        """Send everybody who decides their copy of the card, once; what is too much for them stands in a digest."""
        home, sent = preview_of(row).place, 0
        for person in people:
            if sent == MOST:
                return
            if self.services.directory.one_human(person.id, row.requester):
                continue  # the card stands where they asked
            if self.services.directory.reach(person, home.platform) is None:
                continue
            held = not self.has_room(session, person, now)
            about = row.batch or row.id
            if not told.add(session, person.id, about, told.CARD, now, held=held) or held:
                continue
            sent += 1
            subject, shown = writing.common(session, row)
            self.send(session, f"{about}-dm-{person.id}", row, person, shown, now, subject=subject)

    def has_room(self, session: Session, person: Person, now: datetime) -> bool:
        """Whether the person may be sent another message about approvals in this hour."""
        return told.sent_since(session, person.id, now - HOUR) < self.services.cards_per_hour

    def send(  # noqa: PLR0917  what a message consists of
        self,
        session: Session,
        key: str,
        row: ApprovalState,
        person: Person,
        body: Body,
        now: datetime,
        *,
        subject: str | None = None,
    ) -> bool:
        """Queue a direct message; False if it was queued before, or the person is on no platform."""
        actor = self.services.directory.reach(person, preview_of(row).place.platform)
        if actor is None:
            return False
        return put(session, key, actor, body, now, run_id=row.run_id, subject=subject)


def put(
    session: Session,
    key: str,
    actor: Actor,
    body: Body,
    now: datetime,
    *,
    run_id: str | None = None,
    subject: str | None = None,
) -> bool:
    """Queue a direct message to an account; False if it was queued before."""
    place = Place(platform=actor.platform, tenant=actor.tenant, channel="", kind="dm")
    return outbox.put(session, key, place, body, now, to=actor, run_id=run_id, subject=subject)


def review_button(row: ApprovalState) -> Action:
    """Shows the card to whoever presses it and may decide."""
    return Action(subject=row.ref, revision=row.revision, verb="review", label=f"Review {row.ref}")
