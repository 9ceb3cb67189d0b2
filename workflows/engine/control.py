"""What people do to workflows: pause, resume, delete, and correct what one gave. Each is a row and a ledger entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kernel import ledger
from kernel.errors import NotAllowed, NotFound
from kernel.people import RoleUnknownError
from kernel.store import runs, workflows
from kernel.store.workflows import Correction
from workflows.engine.wording import at_in

if TYPE_CHECKING:
    from datetime import datetime

    from kernel.people import Directory
    from kernel.store import Session
    from kernel.store.runs import Run
    from kernel.types import Actor, Person
    from workflows.engine.definition import Workflow
    from workflows.engine.launch import Launch

ADMIN = "admin"
OPERATOR = (
    "cli:"  # how the id of somebody begins who works on the machine itself; no account and no person has such an id
)
LONGEST = 1000  # characters of a correction


class Files(Protocol):
    """The workflow files of the charter."""

    async def remove(self, name: str) -> str:
        """Take the file out of the charter; returns where it lies now. NotFound where no file defines it."""
        ...


class Sight(Protocol):
    """Who may see what."""

    def __call__(self, person: Person, run: Run) -> bool:
        """Whether the person may know of the run."""
        ...


class Control:
    """Does what people say; every refusal is an error whose sentence is for the person alone."""

    def __init__(self, launch: Launch, directory: Directory, files: Files, sight: Sight) -> None:
        self.launch = launch
        self.store = launch.store
        self.clock = launch.clock
        self.directory = directory
        self.files = files
        self.sight = sight

    async def pause(self, name: str, person: Person, actor: Actor | None = None, until: datetime | None = None) -> str:
        """It begins no more by itself until then, or until somebody resumes it; runs under way go on.

        NotFound, NotAllowed.
        """
        workflow = self.launch.get(name)
        await self._may_decide(workflow, person, actor)

        def write(session: Session) -> str:
            now = self.clock.now()
            if not workflows.pause(session, name, person.id, now, until):
                return f"**{name}** is paused already. `resume {name}` lets it begin by itself again."
            told = {"workflow": name, "by": person.id, **({"until": until.isoformat()} if until else {})}
            ledger.append(session, now, "workflow.paused", name, told)
            lasts = f"until {at_in(until, workflow.zone)}" if until else "any more"
            return (
                f"Paused **{name}**: it does not begin by itself {lasts}, and what is left out stands in its history. "
                f"`resume {name}` ends that; `run {name}` still works."
            )

        return await self.store.write(write)

    async def resume(self, name: str, person: Person, actor: Actor | None = None) -> str:
        """It begins by itself again. NotFound, NotAllowed."""
        await self._may_decide(self.launch.get(name), person, actor)

        def write(session: Session) -> str:
            now = self.clock.now()
            if not workflows.resume(session, name):
                return f"**{name}** is not paused."
            ledger.append(session, now, "workflow.resumed", name, {"workflow": name, "by": person.id})
            return f"**{name}** begins by itself again. What was left out meanwhile is not made up for."

        return await self.store.write(write)

    async def delete(self, name: str, person: Person, actor: Actor | None = None) -> str:
        """Take its file out of the charter. Runs that are under way end as they were begun. NotFound, NotAllowed."""
        await self._may_decide(self.launch.get(name), person, actor)
        where = await self.files.remove(name)

        def write(session: Session) -> None:
            now = self.clock.now()
            workflows.resume(session, name)  # should it come back one day, it comes back running
            ledger.append(session, now, "workflow.deleted", name, {"workflow": name, "by": person.id, "file": where})

        await self.store.write(write)
        return f"Deleted **{name}**. Its file lies in `{where}`; its history and runs that are under way stay."

    async def correct(self, ref: str, text: str, person: Person) -> str:
        """Remember what a person says about the output of a run. NotFound, NotAllowed."""
        said = " ".join(text.split())
        if len(said) > LONGEST:
            raise NotAllowed(f"A correction has at most {LONGEST} characters; this one has {len(said)}.")

        def write(session: Session) -> str:
            run = runs.by_ref(session, ref)
            seen = run is not None and (person.id.startswith(OPERATOR) or self.sight(person, run))
            if run is None or run.workflow is None or not seen:
                raise NotFound(f"There is no run {ref} of a workflow that you can see.")
            if not person.can_decide:
                raise NotAllowed("Only members of the team can correct a workflow.")
            now = self.clock.now()
            row = Correction(
                id=self.launch.ids.new(),
                workflow=run.workflow,
                run_ref=run.ref,
                text=said,
                by=person.id,
                by_name=person.name,
                at=now,
            )
            workflows.correct(session, row)
            ledger.append(
                session, now, "workflow.corrected", run.id, {"workflow": run.workflow, "by": person.id, "id": row.id}
            )
            return (
                f"Remembered for the next runs of **{run.workflow}**, with your name and {run.ref} as its source. "
                f"`corrections {run.workflow}` lists what is remembered."
            )

        return await self.store.write(write)

    async def withdraw(self, name: str, number: int, person: Person, actor: Actor | None = None) -> str:
        """Forget the correction with this number. By whoever made it, or who decides about the workflow."""
        workflow = self.launch.get(name)
        known = await self.store.read(lambda session: workflows.corrections(session, name))
        if not 1 <= number <= len(known):
            raise NotFound(f"{name} has no correction {number}. `corrections {name}` lists them.")
        row = known[number - 1]
        if row.by != person.id:
            await self._may_decide(workflow, person, actor)

        def write(session: Session) -> str:
            now = self.clock.now()
            if not workflows.withdraw_correction(session, row.id, now):
                return "It was forgotten already."
            ledger.append(session, now, "workflow.correction-withdrawn", row.id, {"workflow": name, "by": person.id})
            return f"Forgotten: “{row.text}”"

        return await self.store.write(write)

    async def may_decide(self, workflow: Workflow, person: Person, actor: Actor | None = None) -> bool:
        """Whether the person may pause, resume and delete it."""
        try:
            await self._may_decide(workflow, person, actor)
        except NotAllowed:
            return False
        return True

    async def _may_decide(self, workflow: Workflow, person: Person, actor: Actor | None) -> None:
        if person.id.startswith(OPERATOR):
            return
        roles = tuple(dict.fromkeys((*workflow.owner, ADMIN)))
        if person.can_decide:
            try:
                for role in roles:
                    if await self.directory.holds(person, role, actor):
                        return
            except RoleUnknownError as error:
                raise NotAllowed("I cannot look up your role right now, so nothing was changed. Try again.") from error
        raise NotAllowed(f"About {workflow.name} decides somebody of {' or '.join(roles)}. Nothing was changed.")
