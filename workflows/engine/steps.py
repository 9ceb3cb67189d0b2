"""What a step kind is, what it is given and what it gives back; the kinds themselves lie beside this folder."""

from __future__ import annotations

import hashlib
import importlib
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Protocol

from kernel.clock import ALPHABET
from kernel.errors import ConfigError
from kernel.types import Frozen, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kernel.clock import Clock, Ids
    from kernel.people import Directory
    from kernel.store import Session, Store
    from kernel.store.runs import Run

HERE = Path(__file__).parent.parent


class Reference(Frozen):
    """Something outside the file that a step names; the charter checks that it exists."""

    kind: Literal["agent", "channel", "step"]
    name: str
    option: str  # the option of the step that names it


class Options(Frozen):
    """What may be said of a step of one kind."""

    def references(self) -> tuple[Reference, ...]:
        """What the options name."""
        return ()

    def templates(self) -> Mapping[str, str]:
        """Option -> text with places such as {steps.facts.text}."""
        return {}


class Output(Frozen):
    """What a step gave; saved before the next one starts."""

    text: str = ""
    ends: str = ""  # not empty: the workflow ends here, with this sentence as its result
    note: str = ""  # for people who look at the run


@dataclass(frozen=True, kw_only=True)
class Done:
    """The step is done. `save` writes what belongs to it in the transaction that saves the output."""

    output: Output = field(default_factory=Output)
    failed: str = ""  # not empty: it is not done, for this reason, and the run fails
    save: Callable[[Session], None] | None = None


@dataclass(frozen=True, kw_only=True)
class Parked:
    """The step waits for another run; `start` begins that run in the transaction that parks this one."""

    start: Callable[[Session], None]


@dataclass(frozen=True, kw_only=True)
class StepContext:
    """What a step is given."""

    run: Run
    workflow: str  # name
    step: str  # id
    since: datetime  # when the last run of this workflow for the channel was begun
    channel: str  # the charter's name of where the result goes
    place: Place  # the same, as a place
    values: Mapping[str, str]  # {names} that templates may use
    outputs: Mapping[str, Output]  # of the earlier steps
    store: Store
    clock: Clock
    ids: Ids
    directory: Directory
    zone: str  # of the workflow, for times that people read
    has_model: bool  # a language model is configured


class StepKind(Protocol):
    """A kind of step: a module beside this folder has one, named KIND."""

    name: str  # the word in the file
    options: type[Options]

    async def perform(self, options: Any, step: StepContext) -> Done | Parked:
        """Do the step. May be called again after a crash or when what it waited for has ended."""
        ...


@dataclass(frozen=True)
class Kinds:
    """The step kinds by name."""

    by_name: Mapping[str, StepKind] = field(default_factory=lambda: MappingProxyType({}))

    def names(self) -> tuple[str, ...]:
        """All names, in order."""
        return tuple(sorted(self.by_name))

    def get(self, name: str) -> StepKind | None:
        """The kind with this name."""
        return self.by_name.get(name)


def discover(folder: Path = HERE) -> Kinds:
    """The step kinds that the Python files of `folder` define. ConfigError names a file that has none."""
    found: dict[str, StepKind] = {}
    for path in sorted(folder.glob("*.py")):
        if path.name.startswith("_"):
            continue
        kind: StepKind | None = getattr(importlib.import_module(f"workflows.{path.stem}"), "KIND", None)
        if kind is None:
            raise ConfigError(
                f"{path} defines no step kind.", hint="Expected: KIND, an object with name, options, perform."
            )
        found[kind.name] = kind
    return Kinds(MappingProxyType(found))


def derived_id(at: datetime, *parts: str) -> str:
    """An id that sorts by `at` and is the same wherever the same parts are named: a ULID with a hash for chance."""
    milliseconds = int(at.timestamp() * 1000)
    chance = int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest()[:10])
    value = (milliseconds << 80) | chance
    return "".join(ALPHABET[(value >> shift) & 31] for shift in range(125, -1, -5))
