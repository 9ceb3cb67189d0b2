"""The copies of an approval's card in the outbox, all at once. Queries only, no table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, case, or_, update
from sqlmodel import Session, col

from kernel.store import outbox
from kernel.store.columns import JsonText
from kernel.store.database import wake
from kernel.store.outbox import DEAD, QUEUED, SENT, OutboxRow

if TYPE_CHECKING:
    from kernel.types import Card

_REVISE = (  # what `outbox.revise` does to one row
    update(OutboxRow)
    .where(col(OutboxRow.subject) == bindparam("about"))
    .values(
        body=bindparam("now_shows", type_=JsonText),
        version=col(OutboxRow.version) + 1,
        retry_at=None,
        state=case(
            (or_(col(OutboxRow.state) == SENT, col(OutboxRow.state) == DEAD), QUEUED), else_=col(OutboxRow.state)
        ),
    )
    .returning(col(OutboxRow.lane))
)


def revise(session: Session, subject: str, card: Card) -> int:
    """Have every copy of the card of `subject` show this; returns how many there are."""
    values = {"about": subject, "now_shows": card.model_dump(mode="json")}
    lanes = session.connection().execute(_REVISE, values).scalars().all()
    for lane in lanes:
        wake(session, outbox.TOPIC, lane)
    return len(lanes)
