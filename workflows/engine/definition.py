"""Workflows as data: triggers, inputs, limits, and steps from a closed vocabulary."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from kernel.types import Frozen, Json
from rules.engine.words import Duration, Names, parse_duration
from workflows.engine import trigger as triggers
from workflows.engine.steps import Reference
from workflows.engine.trigger import Trigger

if TYPE_CHECKING:
    from workflows.engine.trigger import Timetable

ID = r"^[a-z][a-z0-9-]*$"
NAME = r"^[a-z][a-z0-9_]*$"

Overlap = Literal["skip", "queue", "replace", "parallel"]


class Retry(Frozen):
    """How often a step that fails is done again."""

    times: int = Field(ge=1, le=20)
    wait: Duration = "1m"  # before the first repetition; doubles each time
    longest: Duration = "1h"  # wait at most this long

    def pause(self, failures: int) -> timedelta:
        """How long to wait after so many failures."""
        doubled: timedelta = parse_duration(self.wait) * (2 ** min(failures - 1, 20))
        return min(doubled, parse_duration(self.longest))


class Step(Frozen):
    """One step: its id, its kind, the options as they stand in the file, and what every kind can say."""

    id: str
    kind: str
    options: Json
    blocks: dict[str, tuple[Step, ...]] = Field(default_factory=dict)  # option -> the steps that it holds
    timeout: Duration | None = None  # the step fails if it is not done by then: "15m"
    retry: Retry | None = None
    on_failure: Literal["stop", "go_on"] | tuple[Step, ...] = "stop"  # or steps that are done instead
    undo: Step | None = None  # is done when a later step makes the run fail


class Input(Frozen):
    """Something that whoever starts the workflow can say."""

    type: Literal["text", "number", "flag", "date"] = "text"
    description: str = ""
    default: Json = None
    of: tuple[str, ...] = ()  # the only values that it can have
    required: bool = False  # there is no run without it

    @model_validator(mode="after")
    def _fits(self) -> Input:
        if self.required and self.default is not None:
            raise ValueError("an input with a default is not required")
        return self


class Limits(Frozen):
    """What one run may take."""

    cost: float | None = Field(default=None, gt=0)  # USD of model use, of all its agents together
    time: Duration | None = None  # from its beginning: "4h"


class WorkflowFile(Frozen):
    """The words of a workflow file."""

    name: str = Field(pattern=ID)
    description: str
    channel: str  # where the result goes: a channel of the charter
    owner: Names = ("admin",)  # roles; somebody of one of them may pause, resume and delete it
    inputs: dict[str, Input] = Field(default_factory=dict)
    trigger: Trigger | list[Trigger] | None = None  # none: it runs by hand only
    thread: bool = False  # everything is said in the thread of the message that began it
    overlap: Overlap = "queue"  # what becomes of a firing while the run before it is not at its end
    limits: Limits = Limits()
    history: int = Field(default=1, ge=0, le=20)  # how many earlier runs a run can read
    steps: list[dict[str, Json]] = Field(min_length=1)


class Timed(Frozen):
    """A trigger that follows the clock, with everything that its timetable needs."""

    trigger: Trigger
    zone: str
    calendars: dict[str, tuple[str, ...]] = Field(default_factory=dict)  # those that it names

    @property
    def table(self) -> Timetable:
        """When it fires."""
        found = triggers.timetable(self.trigger, self.zone, self.calendars)
        if found is None:
            raise ValueError(f"a trigger of kind {self.trigger.kind} follows no clock")
        return found

    @property
    def latest(self) -> timedelta | None:
        """How old a missed firing may be; None: any age."""
        return parse_duration(self.trigger.at_latest) if self.trigger.at_latest else None


class Workflow(Frozen):
    """A workflow, checked. Stored with every run of it, so that a run finishes as it was begun."""

    name: str
    description: str
    channel: str
    zone: str  # of the times that it shows
    owner: tuple[str, ...] = ("admin",)  # roles that may pause, resume and delete it
    inputs: dict[str, Input] = Field(default_factory=dict)
    timed: tuple[Timed, ...] = ()
    events: tuple[Trigger, ...] = ()  # triggers that follow what happens
    thread: bool = False  # its result goes to the thread of the message that began it
    overlap: Overlap = "queue"
    limits: Limits = Limits()
    history: int = 1
    steps: tuple[Step, ...]


class Loaded(Frozen):
    """A workflow with the names in its file that only the whole charter can check."""

    workflow: Workflow
    names: tuple[tuple[tuple[str | int, ...], Reference], ...]  # where in the file, and what it names
