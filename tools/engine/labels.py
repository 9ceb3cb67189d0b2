"""The label that what a run writes carries from then on, so that nothing is laundered through Bosun's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.types import Origin

if TYPE_CHECKING:
    from kernel.types import RunFacts


def of_run(facts: RunFacts) -> Origin:
    """`outside_text` once the run has read any, or was started by or in front of outsiders; else `member_text`.

    What the model made up in such a run counts as a member's text later: a member asked for it and may correct it,
    and member_text alone lets nothing run without a human.
    """
    insiders = facts.requester.listed and not facts.place.external
    if facts.actor is not None and (facts.actor.is_guest or facts.actor.is_external):
        insiders = False
    tainted = any(piece.origin == "outside_text" for piece in facts.seen)
    return "member_text" if insiders and not tainted else "outside_text"
