"""What a step is given: built from the run, what is saved of it, and the parts of Bosun that steps work with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kernel.types import Labelled
from workflows.engine import template
from workflows.engine.steps import StepContext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kernel.clock import Clock, Ids
    from kernel.people import Directory
    from kernel.store import Session, Store
    from kernel.store.runs import Run
    from kernel.types import Json
    from workflows.engine.channels import Channels
    from workflows.engine.definition import Workflow
    from workflows.engine.loaded import LoadedRun
    from workflows.engine.progress import Leaf
    from workflows.engine.rights import Rights
    from workflows.engine.steps import Kinds


class Begin(Protocol):
    """Starts another workflow for a run."""

    def __call__(self, session: Session, parent: Run | None, name: str, inputs: Mapping[str, Json], key: str) -> None:
        """Begin it, once for each `key`, in the caller's transaction. `parent` is the run that waits for it."""
        ...

    def known(self, session: Session, name: str, key: str) -> Run | None:
        """The run that was begun with this key."""
        ...

    def workflows(self) -> Mapping[str, Workflow]:
        """The workflows in force."""
        ...


class Situation:
    """Builds what steps are given."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        ids: Ids,
        kinds: Kinds,
        directory: Callable[[], Directory],
        rights: Rights,
        begin: Begin,
        has_model: bool,
        channels: Channels,
    ) -> None:
        self.store = store
        self.clock = clock
        self.ids = ids
        self.kinds = kinds
        self.directory = directory
        self.rights = rights
        self.begin = begin
        self.has_model = has_model
        self.channels = channels

    def of(self, found: LoadedRun, leaf: Leaf, clock: Clock | None = None) -> StepContext:
        """What this step is given; `clock` instead of the real one where a run is only rehearsed."""
        failed = found.saved.failures.get(leaf.path, ())
        return StepContext(
            run=found.run,
            workflow=found.workflow,
            path=leaf.path,
            step=leaf.step.id,
            attempt=len(failed),
            failure=failed[-1][1] if failed else "",
            begun=found.saved.begun.get(leaf.path),
            retried_at=found.saved.retried_at,
            since=found.request.since,
            place=found.run.where,
            values=leaf.values,
            outputs=leaf.outputs,
            corrections=tuple(
                f"{one.by_name}, {one.at:%Y-%m-%d}, about {one.run_ref}: {one.text}" for one in found.corrections
            ),
            asked_by=found.request.asked_by,
            store=self.store,
            clock=clock or self.clock,
            ids=self.ids,
            directory=self.directory(),
            rights=self.rights,
            has_model=self.has_model,
            channels=self.channels,
            origins=tuple(_origins(found, leaf)),
            begin=self.begin,
        )


def _origins(found: LoadedRun, leaf: Leaf) -> Iterator[Labelled]:
    """Where everything comes from that a step can put into a call.

    What stands in the workflow's file is an administered record. What a person said in starting it is a member's text,
    what a webhook or a file brought comes from outside.
    """
    for text in _texts(leaf.step.options):
        if not template.places(text):
            yield Labelled(text=text, origin="address_book", source=f"workflow {found.workflow.name}")
    yield from (Labelled(text=template.shown(value), origin="member_text") for value in found.request.inputs.values())
    trigger = found.request.trigger
    if trigger:
        known = trigger.get("kind") in ("message", "reaction", "button", "after", "hand", "start")
        inside = known and not trigger.get("outside")
        yield Labelled(text=template.shown(trigger), origin="member_text" if inside else "outside_text")
    for name, output in leaf.outputs.items():
        if output.pieces:
            yield from output.pieces
        elif output.text or output.data is not None:
            text = f"{output.text}\n{template.shown(output.data)}"
            yield Labelled(text=text, origin="outside_text", source=f"step {name}")
    yield from (Labelled(text=output.text, origin="outside_text", source=run.ref) for run, output in found.earlier)


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
