"""What a step kind is, what it is given and what it gives back; the kinds themselves lie beside this folder."""

from __future__ import annotations

import hashlib
import importlib
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

from kernel.clock import ALPHABET
from kernel.errors import ConfigError
from kernel.types import Frozen, Json, Labelled, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kernel.clock import Clock, Ids
    from kernel.people import Directory
    from kernel.store import Session, Store
    from kernel.store.runs import Run
    from workflows.engine.channels import Channels
    from workflows.engine.definition import Workflow
    from workflows.engine.rights import Rights
    from workflows.engine.situation import Begin

HERE = Path(__file__).parent.parent
QUOTED = 90  # characters of a text that are shown in describing a step


def quoted(text: str) -> str:
    """The beginning of a text, in quotation marks, on one line."""
    line = " ".join(text.split())
    return f"“{line}”" if len(line) <= QUOTED else f"“{line[: QUOTED - 1]}…”"


class Reference(Frozen):
    """Something outside the step that it names; the charter checks that it exists."""

    kind: Literal["agent", "channel", "step", "role", "tool", "workflow"]  # "step": an earlier one of the same file
    name: str
    option: str  # the option of the step that names it


class Options(Frozen):
    """What may be said of a step of one kind."""

    reads_now: ClassVar[bool] = False  # what the step gives depends on the moment: in a later run it is something else

    def references(self) -> tuple[Reference, ...]:
        """What the options name."""
        return ()

    def templates(self) -> Mapping[str, Json]:
        """Option -> text, or a value with texts in it, with places such as {steps.facts.text}."""
        return {}

    def blocks(self) -> Mapping[str, Sequence[Mapping[str, Json]]]:
        """Option -> steps, for a kind that holds steps."""
        return {}

    def names(self) -> tuple[str, ...]:
        """What the steps inside may name beside what can be named around them: "item"."""
        return ()

    def data_schema(self) -> Json:
        """JSON schema of the data that the step gives; None where it is not known."""
        return None

    def goes_to(self) -> Literal["", "channel", "people"]:
        """Where the step puts something to read: nowhere, in the workflow's channel, or to people directly."""
        return ""

    def in_words(self) -> str:
        """What the step does, in half a sentence for people: "ask lead: ..."."""
        return ""

    def decided_by(self) -> tuple[str, ...]:
        """Roles of whom the step waits for somebody; none: it asks nobody by itself."""
        return ()


class Output(Frozen):
    """What a step gave; saved before the next one starts."""

    text: str = ""
    data: Json = None
    pieces: tuple[Labelled, ...] = ()  # where its parts come from; empty: it counts as text from outside
    ends: str = ""  # not empty: the workflow ends here, with this sentence as its result
    note: str = ""  # for people who look at the run
    failed: bool = False  # it failed, and the file says that the workflow goes on

    def value(self) -> Json:
        """What templates see of it."""
        return {"text": self.text, "data": self.data, "note": self.note}


@dataclass(frozen=True, kw_only=True)
class Done:
    """The step is done. `save` writes what belongs to it in the transaction that saves the output."""

    output: Output = field(default_factory=Output)
    failed: str = ""  # not empty: it is not done, for this reason
    save: Callable[[Session], None] | None = None


def _nothing(_session: Session) -> None:
    """Nothing has to be begun."""


@dataclass(frozen=True, kw_only=True)
class Parked:
    """The step waits. `start` begins what it waits for in the transaction that parks the run.

    Where that has ended already, `start` makes the run's next segment ready.
    """

    start: Callable[[Session], None] = _nothing
    until: datetime | None = None  # the step is to be performed again then, whatever happens


@dataclass(frozen=True, kw_only=True)
class StepContext:
    """What a step is given."""

    run: Run
    workflow: Workflow
    path: str  # of the step in this run: "sort", "each/0/answer"
    step: str  # id
    attempt: int  # how often it has failed before
    failure: str  # why, the last time; empty at the first attempt
    begun: datetime | None  # when it was first parked in this attempt
    retried_at: datetime | None  # when a person had the run tried again
    since: datetime  # when the last run of this workflow for the channel was begun
    place: Place  # where the result goes
    values: Mapping[str, Json]  # what templates may use
    outputs: Mapping[str, Output]  # of the earlier steps, by id
    corrections: tuple[str, ...]  # what people have said about the outputs of this step in earlier runs
    asked_by: str  # Person id of whoever started the run by hand; empty for a trigger
    store: Store
    clock: Clock
    ids: Ids
    directory: Directory
    rights: Rights
    has_model: bool  # a language model is configured
    origins: tuple[Labelled, ...]  # everything that this step may use, with where it comes from
    begin: Begin  # starts another workflow
    channels: Channels  # what was said in the chat, and who may read it

    @property
    def channel(self) -> str:
        """The charter's name of where the result goes."""
        return self.workflow.channel

    @property
    def zone(self) -> str:
        """Of the workflow, for times that people read."""
        return self.workflow.zone

    def own_id(self, *more: str) -> str:
        """An id for what this attempt of the step begins: the same each time the step is done."""
        attempt = (str(self.attempt),) if self.attempt else ()
        return derived_id(self.run.created_at, self.run.id, self.path, *attempt, *more)


@dataclass(frozen=True, kw_only=True)
class Rehearsed:
    """What a step would do at its time. Nothing was done."""

    says: str  # for people
    output: Output | None = None  # what it would give, where that is known without doing it
    text: str = ""  # what it would show in full, Markdown
    asks: tuple[str, ...] = ()  # roles of whom people would have to decide
    may_ask: tuple[str, ...] = ()  # the same where it depends on what an agent does
    refused: bool = False  # the rules would not allow it
    until: datetime | None = None  # it would wait until then


@runtime_checkable
class StepKind(Protocol):
    """A kind of step that does something: a module beside this folder has one, named KIND."""

    name: str  # the word in the file
    options: type[Options]

    async def perform(self, options: Any, step: StepContext) -> Done | Parked:
        """Do the step. May be called again after a crash, at `until`, or when what it waited for has ended."""
        ...

    async def rehearse(self, options: Any, step: StepContext) -> Rehearsed:
        """Say what the step would do at the clock's time, reading what may be read and changing nothing."""
        ...

    def cancel(self, session: Session, options: Any, step: StepContext) -> None:
        """End what the step has begun and waits for: it took too long, or the run is stopped."""
        ...


@dataclass(frozen=True, kw_only=True)
class Part:
    """One pass through the steps that a block holds."""

    key: str  # part of the path: "then", "0"
    block: str  # the option whose steps are done
    values: Mapping[str, Json] = field(default_factory=dict)  # what its steps may name beside what is around


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The passes of a block, in order. It follows from saved outputs alone, so it is the same after a crash."""

    parts: tuple[Part, ...]
    parallel: int = 1  # how many may be under way at once


@runtime_checkable
class BlockKind(Protocol):
    """A kind of step that holds other steps: a branch, a loop."""

    name: str
    options: type[Options]

    def plan(self, options: Any, values: Mapping[str, Json]) -> Plan:
        """What is to be done. BosunError where the values do not fit."""
        ...

    def gather(self, options: Any, results: Sequence[Output]) -> Output:
        """The block's output, from the last output of each pass."""
        ...


Kind = StepKind | BlockKind


@dataclass(frozen=True)
class Kinds:
    """The step kinds by name."""

    by_name: Mapping[str, Kind] = field(default_factory=lambda: MappingProxyType({}))

    def names(self) -> tuple[str, ...]:
        """All names, in order."""
        return tuple(sorted(self.by_name))

    def get(self, name: str) -> Kind | None:
        """The kind with this name."""
        return self.by_name.get(name)


def discover(folder: Path = HERE) -> Kinds:
    """The step kinds that the Python files of `folder` define. ConfigError names a file that has none."""
    found: dict[str, Kind] = {}
    for path in sorted(folder.glob("*.py")):
        if path.name.startswith("_"):
            continue
        kind: Kind | None = getattr(importlib.import_module(f"workflows.{path.stem}"), "KIND", None)
        if kind is None:
            raise ConfigError(
                f"{path} defines no step kind.",
                hint="Expected: KIND, an object with name, options, and perform and cancel, or plan and gather.",
            )
        found[kind.name] = kind
    return Kinds(MappingProxyType(found))


def derived_id(at: datetime, *parts: str) -> str:
    """An id that sorts by `at` and is the same wherever the same parts are named: a ULID with a hash for chance."""
    milliseconds = int(at.timestamp() * 1000)
    chance = int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest()[:10])
    value = (milliseconds << 80) | chance
    return "".join(ALPHABET[(value >> shift) & 31] for shift in range(125, -1, -5))
