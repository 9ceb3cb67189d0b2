"""The label that what a run writes carries from then on, so that nothing is laundered through Bosun's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from kernel.types import RunFacts


def of_run(facts: RunFacts) -> Literal["member_text", "outside_text"]:
    """`outside_text` once the run has read any, or was started by or in front of outsiders; else `member_text`.

    What the model made up in such a run counts as a member's text later: a member asked for it and may correct it,
    and member_text alone lets nothing run without a human.
    """
    insider = facts.workflow is not None or facts.requester.can_decide
    if facts.actor is not None and (facts.actor.is_guest or facts.actor.is_external):
        insider = False
    return "member_text" if insider and not facts.place.external and not facts.outside_text_read else "outside_text"
