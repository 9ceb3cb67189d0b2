"""Reading workflow files: everything is checked, and every fault is named with its line and a suggestion."""

from __future__ import annotations

import zoneinfo
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from kernel import yaml_lines
from kernel.errors import CharterError
from rules.engine.words import parse_duration
from workflows.engine import template
from workflows.engine import trigger as triggers
from workflows.engine.definition import Loaded, Retry, Step, Timed, Workflow, WorkflowFile
from workflows.engine.scope import Scope
from workflows.engine.steps import BlockKind, Reference, StepKind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from kernel.types import Json
    from kernel.yaml_lines import Loc, Located
    from workflows.engine.steps import Kinds, Options
    from workflows.engine.trigger import Trigger

COMMON = ("id", "timeout", "retry", "on_failure", "undo")  # words that every step may have
UNDO = ("call",)  # kinds that can undo: an undo asks nobody and waits for nothing but the rules
NOT_IN_UNDO = ("retry", "on_failure", "undo")


def load(
    path: str, text: str, kinds: Kinds, zone: str, calendars: Mapping[str, tuple[str, ...]] | None = None
) -> tuple[Loaded, Located]:
    """Read a workflow file. CharterError with file, line and a suggestion for each thing that is wrong.

    `zone` is the charter's time zone, `calendars` its named lists of days.
    """
    located = yaml_lines.load(path, text)
    file = yaml_lines.parse(located, WorkflowFile)
    reader = _Steps(located, kinds)
    reader.read_all(("steps",), file.steps, Scope(inputs=frozenset(file.inputs)))
    reader.problems += _input_problems(located, file) + _thread_problems(located, file)
    if "owner" in file.model_fields_set:
        reader.names += [(("owner",), Reference(kind="role", name=role, option="owner")) for role in file.owner]
    timed, events = _triggers(located, file, zone, calendars or {}, reader)
    if reader.problems:
        raise CharterError(list(dict.fromkeys(reader.problems)))
    workflow = Workflow(
        name=file.name,
        description=file.description,
        channel=file.channel,
        zone=timed[0].zone if timed else zone,
        owner=file.owner,
        inputs=file.inputs,
        timed=timed,
        events=events,
        thread=file.thread,
        overlap=file.overlap,
        limits=file.limits,
        history=file.history,
        steps=reader.top,
    )
    return Loaded(workflow=workflow, names=tuple(reader.names)), located


def _triggers(
    located: Located, file: WorkflowFile, zone: str, calendars: Mapping[str, tuple[str, ...]], reader: _Steps
) -> tuple[tuple[Timed, ...], tuple[Trigger, ...]]:
    several = isinstance(file.trigger, list)
    given = file.trigger if isinstance(file.trigger, list) else [file.trigger] if file.trigger else []
    timed: list[Timed] = []
    events: list[Trigger] = []
    for number, trigger in enumerate(given):
        at: Loc = ("trigger", number) if several else ("trigger",)
        reader.names += [((*at, trigger.kind, one.option), one) for one in _named(trigger)]
        if trigger.kind not in ("cron", "every"):
            events.append(trigger)
            continue
        named = {name: calendars[name] for name in trigger.except_ if name in calendars}
        chosen = Timed(trigger=trigger, zone=trigger.zone or zone, calendars=named)
        problem = _time_problem(located, at, chosen, calendars)
        if problem:
            reader.problems.append(problem)
        else:
            timed.append(chosen)
    return tuple(timed), tuple(events)


def _time_problem(located: Located, at: Loc, timed: Timed, calendars: Collection[str]) -> str:
    try:
        zoneinfo.ZoneInfo(timed.zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        known = zoneinfo.available_timezones()
        return located.problem((*at, "zone"), f"unknown time zone '{timed.zone}'", timed.zone, known)
    for number, word in enumerate(timed.trigger.except_):
        if word not in timed.calendars:
            try:
                triggers.span(word)
            except ValueError as error:
                return located.problem((*at, "except", number), str(error), word, calendars)
    try:
        str(timed.table)
    except ValueError as error:
        return located.problem((*at, timed.trigger.kind), str(error))
    return ""


def _named(trigger: Trigger) -> list[Reference]:
    """What the trigger names."""
    found = []
    if trigger.message is not None:
        found.append(Reference(kind="channel", name=trigger.message.channel, option="channel"))
        if trigger.message.by:
            found.append(Reference(kind="role", name=trigger.message.by, option="by"))
    if trigger.reaction is not None:
        found.append(Reference(kind="channel", name=trigger.reaction.channel, option="channel"))
        found.append(Reference(kind="role", name=trigger.reaction.by, option="by"))
    if trigger.button is not None:
        found.append(Reference(kind="workflow", name=trigger.button.digest, option="digest"))
        if trigger.button.by:
            found.append(Reference(kind="role", name=trigger.button.by, option="by"))
    if trigger.after is not None:
        found.append(Reference(kind="workflow", name=trigger.after.workflow, option="workflow"))
    return found


def _input_problems(located: Located, file: WorkflowFile) -> list[str]:
    needed = [name for name, one in file.inputs.items() if one.required]
    if not needed or file.trigger is None:
        return []
    message = "a workflow that begins by itself gets no inputs: give this one a default"
    return [located.problem(("inputs", name), message) for name in needed]


def _thread_problems(located: Located, file: WorkflowFile) -> list[str]:
    given = file.trigger if isinstance(file.trigger, list) else [file.trigger] if file.trigger else []
    told = [trigger.message or trigger.reaction for trigger in given]
    if not file.thread or any(one is not None and one.channel == file.channel for one in told):
        return []
    return [located.problem(("thread",), f"only a message or a reaction in {file.channel} brings a thread with it")]


class _Steps:
    """Reads the steps of one file, in order: each may name those before it."""

    def __init__(self, located: Located, kinds: Kinds) -> None:
        self.located = located
        self.kinds = kinds
        self.top: tuple[Step, ...] = ()
        self.taken: set[str] = set()  # ids, in the whole file
        self.names: list[tuple[Loc, Reference]] = []
        self.problems: list[str] = []

    def read_all(self, at: Loc, steps: Sequence[Mapping[str, Json]], scope: Scope) -> tuple[Step, ...]:
        """The steps of one list. The list at the top of the file is kept as `top`."""
        found: list[Step] = []
        for number, raw in enumerate(steps):
            step, scope = self._read((*at, number), raw, scope)
            if step is not None:
                found.append(step)
        if at == ("steps",):
            self.top = tuple(found)
        return tuple(found)

    def _read(self, at: Loc, raw: Mapping[str, Json], scope: Scope) -> tuple[Step | None, Scope]:
        word = self._word(at, raw, self.kinds.names())
        kind = self.kinds.get(word)
        name = self._id(at, raw, word)
        if kind is None:
            return None, scope.with_step(name)
        options = self._options(at, word, kind, raw[word])
        if options is None:
            return None, scope.with_step(name)
        self._check(at, word, options, scope)
        inside = scope.inside(*options.names())
        blocks = {block: self.read_all((*at, word, block), steps, inside) for block, steps in options.blocks().items()}
        plain = {key: value for key, value in (raw[word] or {}).items() if key not in blocks}
        step = Step(
            id=name,
            kind=word,
            options=plain,
            blocks=blocks,
            timeout=self._duration((*at, "timeout"), raw.get("timeout")),
            retry=self._retry(at, raw.get("retry")),
            on_failure=self._on_failure(at, raw.get("on_failure", "stop"), scope.with_step(name)),
            undo=self._undo(at, raw.get("undo"), scope.with_step(name, options.data_schema())),
        )
        return step, scope.with_step(name, options.data_schema())

    def _word(self, at: Loc, raw: Mapping[str, Json], allowed: Collection[str]) -> str:
        words = [word for word in raw if word not in COMMON]
        if len(words) != 1:
            said = " and ".join(words) or "nothing"
            self._problem(at, f"a step does one thing ({', '.join(allowed)}); this one says {said}")
            return ""
        if words[0] not in allowed:
            self._problem((*at, words[0]), f"unknown kind of step '{words[0]}'", words[0], (*allowed, *COMMON))
            return ""
        return words[0]

    def _id(self, at: Loc, raw: Mapping[str, Json], word: str) -> str:
        """The step's id: what the file says, else the word of its kind, else that with a number."""
        given = raw.get("id")
        if given is None:
            number, given = 1, word
            while given in self.taken:
                number, given = number + 1, f"{word}-{number + 1}"
        elif not isinstance(given, str) or given in self.taken or not given or set("/.{}") & set(given):
            self._problem((*at, "id"), f"the id '{given}' is taken or not a word")
        self.taken.add(str(given))
        return str(given)

    def _options(self, at: Loc, word: str, kind: StepKind | BlockKind, raw: Json) -> Options | None:
        try:
            return kind.options.model_validate({} if raw is None else raw)
        except ValidationError as error:
            self.problems += yaml_lines.faults(self.located, kind.options, error, (*at, word))
            return None

    def _check(self, at: Loc, word: str, options: Options, scope: Scope) -> None:
        for reference in options.references():
            where = (*at, word, reference.option)
            if reference.kind != "step":
                self.names.append((where, reference))
            elif reference.name not in scope.steps:
                self._problem(where, f"there is no earlier step '{reference.name}'", reference.name, scope.steps)
        for option, value in options.templates().items():
            for place in template.places_in(value):
                problem = scope.problem(place)
                if problem:
                    self._problem((*at, word, option), problem, place, scope.known())

    def _duration(self, at: Loc, raw: Json) -> str | None:
        if raw is None:
            return None
        try:
            parse_duration(str(raw))
        except ValueError as error:
            self._problem(at, str(error))
            return None
        return str(raw)

    def _retry(self, at: Loc, raw: Json) -> Retry | None:
        try:
            return None if raw is None else Retry.model_validate(raw)
        except ValidationError as error:
            self.problems += yaml_lines.faults(self.located, Retry, error, (*at, "retry"))
            return None

    def _on_failure(self, at: Loc, raw: Json, scope: Scope) -> Literal["stop", "go_on"] | tuple[Step, ...]:
        if isinstance(raw, list) and raw and all(isinstance(one, dict) for one in raw):
            return self.read_all((*at, "on_failure"), raw, scope)
        if raw not in ("stop", "go_on"):
            self._problem((*at, "on_failure"), "on_failure is 'stop', 'go_on' or a list of steps")
        return "go_on" if raw == "go_on" else "stop"

    def _undo(self, at: Loc, raw: Json, scope: Scope) -> Step | None:
        if raw is None:
            return None
        where = (*at, "undo")
        if not isinstance(raw, dict) or set(raw) & set(NOT_IN_UNDO):
            self._problem(where, f"undo is one step ({', '.join(UNDO)}) without {', '.join(NOT_IN_UNDO)}")
            return None
        if not self._word(where, raw, UNDO):
            return None
        step, _ = self._read(where, {**raw, "id": f"undo of {len(self.taken)}"}, scope)
        return step

    def _problem(self, at: Loc, message: str, word: str = "", known: Collection[str] = ()) -> None:
        self.problems.append(self.located.problem(at, message, word, known))
