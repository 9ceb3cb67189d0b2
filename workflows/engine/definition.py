"""Workflow files: a trigger, and steps from a closed vocabulary. Everything is checked when the file is read."""

from __future__ import annotations

import zoneinfo
from typing import TYPE_CHECKING

from pydantic import Field, ValidationError

from kernel import yaml_lines
from kernel.errors import CharterError
from kernel.types import Frozen, Json
from workflows.engine import cron, template
from workflows.engine.schedule import Missed
from workflows.engine.steps import Reference

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from kernel.yaml_lines import Loc, Located
    from workflows.engine.steps import Kinds, Options

ID = r"^[a-z][a-z0-9-]*$"


class Trigger(Frozen):
    """When the workflow runs by itself."""

    cron: str  # minute hour day month weekday, or @daily and the like
    zone: str = ""  # empty: the charter's
    missed: Missed = "once"  # what becomes of firings while Bosun was down
    at_most: int = Field(default=10, ge=1, le=100)  # for `all`


class Step(Frozen):
    """One step: its id, its kind, and the options as they stand in the file."""

    id: str
    kind: str
    options: Json


class WorkflowFile(Frozen):
    """The words of a workflow file."""

    name: str = Field(pattern=ID)
    description: str
    channel: str  # where the result goes: a channel of the charter
    trigger: Trigger | None = None  # none: it runs by hand only
    steps: list[dict[str, Json]] = Field(min_length=1)


class Workflow(Frozen):
    """A workflow, checked. Stored with every run of it, so that a run finishes as it was begun."""

    name: str
    description: str
    channel: str
    zone: str  # of its trigger and of the times it shows
    expression: str = ""  # cron; empty: it runs by hand only
    missed: Missed = "once"
    at_most: int = 10
    steps: tuple[Step, ...]

    @property
    def cron(self) -> cron.Cron | None:
        """The trigger, parsed."""
        return cron.parse(self.expression, self.zone) if self.expression else None


class Loaded(Frozen):
    """A workflow with the names in its file that only the whole charter can check."""

    workflow: Workflow
    names: tuple[tuple[tuple[str | int, ...], Reference], ...]  # where in the file, and what it names


def load(path: str, text: str, kinds: Kinds, zone: str) -> tuple[Loaded, Located]:
    """Read a workflow file. CharterError with file, line and a suggestion for each thing that is wrong."""
    located = yaml_lines.load(path, text)
    file = yaml_lines.parse(located, WorkflowFile)
    reader = _Steps(located, kinds)
    for index, step in enumerate(file.steps):
        reader.read(("steps", index), step)
    chosen = (file.trigger.zone if file.trigger else "") or zone
    problems = [*_trigger_problems(located, file.trigger, chosen), *reader.problems]
    if problems:
        raise CharterError(problems)
    trigger = file.trigger or Trigger(cron="")
    workflow = Workflow(
        name=file.name,
        description=file.description,
        channel=file.channel,
        zone=chosen,
        expression=trigger.cron,
        missed=trigger.missed,
        at_most=trigger.at_most,
        steps=tuple(reader.steps),
    )
    return Loaded(workflow=workflow, names=tuple(reader.names)), located


def _trigger_problems(located: Located, trigger: Trigger | None, zone: str) -> list[str]:
    if trigger is None:
        return []
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        known = zoneinfo.available_timezones()
        return [located.problem(("trigger", "zone"), f"unknown time zone '{zone}'", zone, known)]
    try:
        cron.parse(trigger.cron, zone)
    except cron.CronError as error:
        return [located.problem(("trigger", "cron"), str(error))]
    return []


class _Steps:
    """Reads the steps of one file, in order: each may name those before it."""

    def __init__(self, located: Located, kinds: Kinds) -> None:
        self.located = located
        self.kinds = kinds
        self.steps: list[Step] = []
        self.names: list[tuple[Loc, Reference]] = []
        self.problems: list[str] = []

    def read(self, at: Loc, step: Mapping[str, Json]) -> None:
        words = [word for word in step if word != "id"]
        if len(words) != 1:
            said = " and ".join(words) or "nothing"
            self._problem(at, f"a step does one thing ({', '.join(self.kinds.names())}); this one says {said}")
            return
        word = words[0]
        kind = self.kinds.get(word)
        if kind is None:
            self._problem((*at, word), f"unknown kind of step '{word}'", word, (*self.kinds.names(), "id"))
            return
        name = step.get("id", word)
        if not isinstance(name, str) or name in self.known:
            self._problem((*at, "id"), f"the id '{name}' is taken or not a word")
            return
        try:
            options = kind.options.model_validate({} if step[word] is None else step[word])
        except ValidationError as error:
            self.problems += yaml_lines.faults(self.located, kind.options, error, (*at, word))
        else:
            self._names(at, word, options)
        self.steps.append(Step(id=name, kind=word, options=step[word] or {}))

    @property
    def known(self) -> list[str]:
        return [step.id for step in self.steps]

    def _names(self, at: Loc, word: str, options: Options) -> None:
        for reference in options.references():
            where = (*at, word, reference.option)
            if reference.kind != "step":
                self.names.append((where, reference))
            elif reference.name not in self.known:
                self._problem(where, f"there is no earlier step '{reference.name}'", reference.name, self.known)
        for option, text in options.templates().items():
            allowed = template.known_places(self.known)
            for place in template.places(text):
                if place not in allowed:
                    self._problem((*at, word, option), f"unknown place {{{place}}}", place, allowed)

    def _problem(self, at: Loc, message: str, word: str = "", known: Collection[str] = ()) -> None:
        self.problems.append(self.located.problem(at, message, word, known))
