"""What the loop needs of the rooms below and above it, as it needs it. Nothing here acts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from kernel.types import Frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agents.engine.definition import Roster
    from kernel.people import Directory
    from kernel.store import Session
    from kernel.store.run_steps import RunState
    from kernel.types import Place, Progress, RunFacts, ToolCall, ToolSchema
    from knowledge.engine.audience import Audience
    from knowledge.engine.documents import Passage
    from rules.engine.model_budgets import Refused, Spender
    from rules.engine.outcome import Freeze, Outcome, Parked

T = TypeVar("T")


class Door(Protocol):
    """The only way to a tool. `rules.engine.door.Door` fulfils it."""

    def visible(self, agent: str, facts: RunFacts) -> list[ToolSchema]:
        """The tools that the rules do not deny to the agent in every case."""
        ...

    async def frozen(self, agent: str, channel: str) -> Freeze | None:
        """What stands in the way of any work of the agent in this channel; None where nothing does."""
        ...

    async def act(self, call: ToolCall, facts: RunFacts, entry: int, *, fresh: bool = False) -> Outcome:
        """Decide about the call and do it where allowed. Doing it again with the same call gives the same result.

        `fresh` promises that the call was never handed in before. SegmentOvertaken: the run has moved on.
        """
        ...


class Budgets(Protocol):
    """Budgets for what models cost. `rules.engine.model_budgets.ModelBudgets` fulfils it."""

    async def begin(self, run: RunFacts, spender: Spender, turn: int, most: float) -> Parked | Refused | None:
        """Keep `most` US dollars free for the turn; None where it may begin. SegmentOvertaken: the run has moved on."""
        ...

    def spent(self, session: Session, spender: Spender, cost: float, place: Place) -> None:
        """Note what answers of the run have cost; nothing is under way in it any more."""
        ...

    def given_up(self, session: Session, run_id: str) -> None:
        """Nothing is under way in the run, and nothing was spent."""
        ...


class Team(Frozen):
    """What agents are told of the team, and what of the charter steers them."""

    name: str = "the team"
    time_zone: str = "UTC"
    model: str = "claude-sonnet-5-5"  # what an agent with `model: default` uses
    footer: Literal["every", "first", "off"] = "first"  # which answers of a thread say that they are AI-generated
    feedback: bool = True  # below each answer its readers may say whether it helped them


@dataclass(frozen=True, kw_only=True)
class Charter:
    """The parts of the charter in force that a segment uses; read anew for each segment."""

    team: Team
    roster: Roster
    directory: Directory


class Timing(Frozen):
    """How a platform likes its progress."""

    edit_interval: float = 1.0  # seconds between two edits
    time_to_progress: float = 2.0  # seconds of work before anything is shown


class Live(Protocol):
    """A light way to show an answer as it grows, beside the outbox. Nothing depends on it arriving."""

    def __call__(self, run_id: str, place: Place, progress: Progress) -> bool:
        """Show it; False where this place has no such way, and the outbox shows it instead."""
        ...


class Recall(Protocol):
    """The part of the knowledge base that a run begins with. `knowledge.engine.Knowledge` fulfils it."""

    async def by_words(
        self, query: str, audience: Audience, limit: int, pick: Callable[[Session, Sequence[Passage]], T]
    ) -> T:
        """What `pick` makes of the best passages that the whole audience may read, in their transaction."""
        ...


class Closing(Protocol):
    """What else belongs to the end or the pause of a run (working state, reactions), in the same transaction."""

    def __call__(self, session: Session, run: RunState) -> None:
        """`run` has its new state already."""
        ...


class Segments(Protocol):
    """Whatever runs segments of runs that are not the loop's."""

    async def segment(self, run_id: str, segment: int) -> None:
        """Run the segment to its end."""
        ...

    async def broken(self, run_id: str, segment: int, error: Exception) -> None:
        """Give the run up."""
        ...
