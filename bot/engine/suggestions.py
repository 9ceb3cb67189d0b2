"""What is offered to say where nothing was said yet: the team's own prompts, and what can always be said."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kernel.types import Frozen

MOST = 4


class Suggestion(Frozen):
    """Something to say that is offered as a button."""

    title: str
    message: str


Suggestions = Callable[[], Sequence[Suggestion]]
USUAL = (
    Suggestion(title="What needs my approval?", message="approvals"),
    Suggestion(title="Where do things stand?", message="home"),
    Suggestion(title="What can you do?", message="help"),
)


def usual() -> Sequence[Suggestion]:
    """What can always be said."""
    return USUAL


def offered(own: Sequence[Suggestion]) -> tuple[Suggestion, ...]:
    """The team's own, and what can always be said as far as there is room."""
    return (*own, *(one for one in USUAL if one not in own))[:MOST]
