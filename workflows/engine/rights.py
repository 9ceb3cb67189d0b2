"""What steps need of the decision rights: a call through the door, and a decision of people that is no call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from kernel.types import Decision, Frozen
from rules.engine.policy import Policy

if TYPE_CHECKING:
    from datetime import datetime

    from kernel.store import Session
    from kernel.types import Person, RunFacts, ToolCall
    from rules.engine.outcome import Freeze, Outcome


class Question(Frozen):
    """A decision that a workflow asks for."""

    id: str  # the same each time the step is done
    headline: str  # what is decided, at most 120 characters
    text: str = ""  # what people have to know for it
    policy: Policy
    why: str  # one sentence: which step of which workflow asks


class Decided(Frozen):
    """What has become of a question."""

    ref: str  # "AP-7F3K"
    state: str  # "pending", "approved", "rejected", "expired", "withdrawn"
    by: str = ""  # names
    reason: str = ""


class Foreseen(Frozen):
    """What the rules would say to a call at some time."""

    decision: Decision
    reason: str  # one sentence
    who: str = ""  # for "ask": "2 of finance, not the requester"
    roles: tuple[str, ...] = ()  # for "ask": of whom people are needed


class Within(Frozen):
    """What the rules would say to an agent's use of one of its tools at some time, before it is known what it says."""

    tool: str
    how: Literal["alone", "limited", "asks", "never"]  # "limited": it depends on the call
    who: str = ""  # where people may be asked: "2 of finance, not the requester"
    roles: tuple[str, ...] = ()  # of whom


class Spent(Frozen):
    """What is used of a budget or limit in the present hour, day or month."""

    title: str  # "payment: the budget of 1000 per day"
    detail: str  # "820 of 1000 used, 82 %"
    percent: int
    channel: str = ""  # it is counted for this one
    private: bool = False  # it is one person's, or says what calls were about


class Rights(Protocol):
    """The decision rights, as workflows use them."""

    async def foresee(self, call: ToolCall, facts: RunFacts, at: datetime) -> Foreseen:
        """What the rules would say to the call at that time; nothing is done. NotAllowed where it does not fit."""
        ...

    def reachable(self, facts: RunFacts, at: datetime) -> list[Within]:
        """The agent's tools, in order of name."""
        ...

    async def waiting_for(self, person: Person) -> frozenset[str]:
        """References of the approvals that this person can decide now and has not voted on."""
        ...

    def spent(self, session: Session, now: datetime) -> list[Spent]:
        """Of all budgets and limits, the most used first."""
        ...

    async def act(self, call: ToolCall, facts: RunFacts, entry: int) -> Outcome:
        """Decide about the call and do it where allowed. The same call of the same run gives the same result again."""
        ...

    async def frozen(self, channel: str) -> Freeze | None:
        """What stands in the way of any work in this channel; None where nothing does."""
        ...

    def hold(self, session: Session, run_id: str, freeze: Freeze) -> bool:
        """The run waits for the thaw from now on; False if it has come already."""
        ...

    def ask(self, session: Session, question: Question, facts: RunFacts) -> Decided:
        """Ask people, once; the vote that decides makes the run's next segment ready."""
        ...

    def decided(self, session: Session, question_id: str) -> Decided | None:
        """What has become of it; None where it was not asked yet."""
        ...

    def go_on_if_decided(self, session: Session, run_id: str, refs: tuple[str, ...]) -> None:
        """Make the run's next segment ready if one of the decisions fell before the run was parked."""
        ...

    def withdraw(self, session: Session, run_id: str, reason: str) -> object:
        """No decision on this run's calls and questions is wanted any more."""
        ...
