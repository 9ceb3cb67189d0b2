"""What a card shows while its files are not there yet: nobody can approve what they cannot read in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.types import Card

if TYPE_CHECKING:
    from kernel.types import Body

LETS_THROUGH = frozenset({"approve", "choose", "grant", "break_glass", "repeat"})  # verbs of buttons
WAITS = "It can be approved once everything that does not fit on this card is attached below it."


ELSEWHERE = "Not all of it fits here: approve it on its card, below which the whole of it is attached."


def without_files(body: Body, why: str = WAITS) -> Card | None:
    """The card without what would let something through; None where it has no such button, or is no card."""
    if not isinstance(body, Card) or not any(action.verb in LETS_THROUGH for action in body.actions):
        return None
    kept = tuple(action for action in body.actions if action.verb not in LETS_THROUGH)
    return body.model_copy(update={"actions": kept, "warning": f"{why} {body.warning}".strip()})
