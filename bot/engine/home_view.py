"""What the dashboard of one person holds: values, the same for every platform."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from kernel.types import Action, Card, Frozen


class Waiting(Frozen):
    """An approval that a person can decide."""

    card: Card  # as it stands in its thread
    link: str = ""  # permalink of the thread it came from


class Running(Frozen):
    """A piece of work that is not finished."""

    ref: str  # "R-7F3K"
    title: str  # the request in one line
    agent: str
    requester: str  # name
    state: str = "running"  # "queued", "running", "waiting" for people, "timed": for the clock
    detail: str = ""  # "waits for 1 more approval"
    started_at: datetime
    link: str = ""
    stoppable: bool = False  # by this person


class Decision(Frozen):
    """Something that people decided, or that a rule let through."""

    title: str
    outcome: str  # "Approved by Bo and Cy", "Rejected by Bo: too early"
    tone: str = "neutral"  # "good", "bad", "warn", "neutral"
    at: datetime
    link: str = ""


class Scheduled(Frozen):
    """A workflow of a channel that the person reads."""

    name: str
    description: str
    next: str  # "Mon 08:00", "when it happens", "paused"
    last: str  # what became of it last
    paused: bool = False
    controlled: bool = False  # this person may pause and resume it
    startable: bool = False  # this person may begin it now; it needs no inputs for that


class AgentRights(Frozen):
    """An agent, and how far its tools go."""

    name: str
    description: str
    alone: tuple[str, ...] = ()  # tools that it uses without asking
    limited: tuple[str, ...] = ()  # tools for which it depends on the call whether people are asked
    asks: tuple[str, ...] = ()  # tools that always wait for people
    never: tuple[str, ...] = ()  # tools that the rules refuse it
    frozen: str = ""  # why it stands still
    busy: str = ""  # the runs in which it is at work, of those that the person may see: "R-7F3K, R-8A2B"
    last: str = ""  # the last one that ended, of those: "R-7F3K done, Mon 02 Mar 2026 14:03"
    helped: str = ""  # what people said of its answers lately: "12 of 14 opinions in 30 days"


class BudgetUse(Frozen):
    """What is used of a budget or limit in this period."""

    title: str  # "payment: the budget of 1000 per day"
    detail: str  # "620 of 1000 used, 62 %"
    percent: int


class Setting(Frozen):
    """Something that a person can set for themselves."""

    title: str
    detail: str  # how it is now
    actions: tuple[Action, ...] = ()


class HomeView(Frozen):
    """The dashboard of one person: only what they may see."""

    waiting: tuple[Waiting, ...] = ()
    running: tuple[Running, ...] = ()
    schedules: tuple[Scheduled, ...] = ()
    agents: tuple[AgentRights, ...] = ()
    budgets: tuple[BudgetUse, ...] = ()
    recent: tuple[Decision, ...] = ()
    settings: tuple[Setting, ...] = ()
    more: dict[str, str] = Field(default_factory=dict)  # part -> what is said where it holds more than is shown
    footer: str = ""  # small print
