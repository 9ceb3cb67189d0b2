"""Which calls stand together on one card: of one run, alike in everything but their content, by rules that allow it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from kernel.store import approvals as rows
from rules.engine.batch_cards import MOST, may_join
from rules.engine.record import policy_of, preview_of

if TYPE_CHECKING:
    from kernel.store import Session
    from kernel.store.approvals import ApprovalState
    from rules.engine.batch_cards import Items

PREFIX = "BA-"  # of references
REFERENCE = re.compile(rf"{PREFIX}[0-9A-Z]{{1,20}}")
WINDOW = timedelta(minutes=5)  # from the first call on, in which others join it


def is_batch(ref: str) -> bool:
    """Whether it is the reference of a card of several calls."""
    return REFERENCE.fullmatch(ref.upper()) is not None


def joins(session: Session, row: ApprovalState) -> str:
    """The card that the new approval joins; empty where there is none.

    The caller holds the run, so that two calls of one answer do not begin a card each.
    """
    if not may_join(row):
        return ""
    known: dict[str, list[ApprovalState]] = {}
    for one in rows.of_run(session, row.run_id):
        if one.batch:
            known.setdefault(one.batch, []).append(one)
    return next((batch for batch, items in known.items() if _takes(items, row)), "")


def begun_by(row: ApprovalState) -> str:
    """The card that the new approval begins, for others to join; empty where it has a card of its own."""
    return f"{PREFIX}{row.ref.partition('-')[2]}" if may_join(row) else ""


def _takes(items: Items, row: ApprovalState) -> bool:
    """It has room, nobody has begun to decide, and the call differs from the others in nothing but its content."""
    return (
        len(items) < MOST
        and row.created_at - items[0].created_at <= WINDOW
        and all(known.state == rows.PENDING and known.revision == 1 and known.outcome is None for known in items)
        and _alike(items[0]) == _alike(row)
    )


def _alike(row: ApprovalState) -> tuple[object, ...]:
    preview = preview_of(row)
    shown = (preview.place, preview.effect, preview.warning, preview.values, preview.private)
    return row.agent, row.tool, row.requester, row.rules["ids"], row.rules["version"], policy_of(row), shown
