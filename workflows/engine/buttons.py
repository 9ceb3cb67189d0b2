"""The buttons of a digest: run it again, hold it for a day, begin the workflows that wait for one of its buttons."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from kernel.errors import NotAllowed, NotFound
from kernel.people import RoleUnknownError
from kernel.store import outbox, runs, workflows
from kernel.types import Action, Text
from workflows.engine.wording import at_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.store import Session
    from kernel.store.runs import Run
    from kernel.types import Actor, Person, Press
    from workflows.engine.control import Control
    from workflows.engine.definition import Workflow
    from workflows.engine.trigger import Trigger

PREFIX = "W-"  # of the subject; the reference of the digest's run follows
DAY = timedelta(days=1)
SNOOZE, SNOOZE_MINE = "snooze", "snooze-mine"
START = "start-"  # beginning of the verb; the name of the workflow follows


def subject(run: Run) -> str:
    """What the buttons of this run's digest are about."""
    return f"{PREFIX}{run.ref}"


def of(name: str, run: Run, known: Mapping[str, Workflow], *, shared: bool = True) -> tuple[Action, ...]:
    """The buttons of a digest of the workflow `name`. `shared`: all readers have the one; else it is one person's."""
    about = subject(run)
    starts = [
        Action(subject=about, verb=f"{START}{workflow.name}", label=trigger.button.label)
        for workflow, trigger in _waiting(name, known)
        if trigger.button is not None
    ]
    again = Action(subject=about, verb="run", label="Run again")
    hold = Action(subject=about, verb=SNOOZE if shared else SNOOZE_MINE, label="Snooze 1 day")
    return (*starts, again, hold) if shared else (*starts, hold)


def _waiting(name: str, known: Mapping[str, Workflow]) -> list[tuple[Workflow, Trigger]]:
    """The workflows that begin with a button of the digest of `name`."""
    return [
        (workflow, trigger)
        for workflow in known.values()
        for trigger in workflow.events
        if trigger.button is not None and trigger.button.digest == name
    ]


class Buttons:
    """Acts on them. Every answer is for the person alone."""

    def __init__(self, control: Control) -> None:
        self.control = control
        self.launch = control.launch
        self.store = control.store

    async def answer(self, press: Press, person: Person, actor: Actor) -> str:
        """Do what the button says. NotFound, NotAllowed."""
        ref = press.subject.removeprefix(PREFIX)
        run = await self.store.read(lambda session: runs.by_ref(session, ref))
        if run is None or run.workflow is None or not self.control.sight(person, run):
            raise NotFound("The digest that this button belongs to is gone.")
        if press.verb == SNOOZE_MINE:
            return await self._snooze_mine(run.workflow, press.subject, person, actor)
        if press.verb == SNOOZE:
            return await self._snooze(run.workflow, press.subject, person, actor)
        if press.verb == "run":
            return await self._run(run.workflow, person)
        if press.verb.startswith(START):
            return await self._start(run, press.verb.removeprefix(START), person, actor)
        return "This button is out of date."

    async def _run(self, name: str, person: Person) -> str:
        begun = await self.store.write(lambda session: self.launch.run_now(session, name, asked_by=person.id))
        return f"Started {name} ({begun.ref})."

    async def _snooze(self, name: str, about: str, person: Person, actor: Actor) -> str:
        until = self.launch.clock.now() + DAY
        said = await self.control.pause(name, person, actor, until=until)
        await self.store.write(lambda session: _say_snoozed(session, about, person.name))
        return said

    async def _snooze_mine(self, name: str, about: str, person: Person, actor: Actor) -> str:
        workflow, until = self.launch.get(name), self.launch.clock.now() + DAY

        def write(session: Session) -> None:
            workflows.snooze(session, name, person.id, until)
            _say_snoozed(session, about, "you", to=actor)

        await self.store.write(write)
        till = at_in(until, person.time_zone or workflow.zone)
        return f"You get no digest of **{name}** that is due before {till}. `run {name}` sends one at once."

    async def _start(self, run: Run, name: str, person: Person, actor: Actor) -> str:
        """Begin a workflow once for each digest."""
        found = [
            (workflow, trigger)
            for workflow, trigger in _waiting(run.workflow or "", self.launch.workflows())
            if workflow.name == name
        ]
        if not found:
            raise NotFound(f"{name} begins with no button of this digest any more.")
        workflow, trigger = found[0]
        by = trigger.button.by if trigger.button is not None else ""
        try:
            allowed = person.can_decide and (not by or await self.control.directory.holds(person, by, actor))
        except RoleUnknownError as error:
            raise NotAllowed("I cannot look up your role right now, so nothing was begun. Try again.") from error
        if not allowed:
            raise NotAllowed(f"Only {f'somebody of {by}' if by else 'a member of the team'} may begin {name}.")
        told = {"kind": "button", "text": run.ref, "by": person.name}
        key, now = f"button:{run.id}", self.launch.clock.now()
        begun = await self.store.write(
            lambda session: self.launch.on_event(session, workflow, key, now, told, platform=run.where.platform)
        )
        if begun is None:
            return (
                f"{name} was begun from this digest already, waits its turn or is paused. `history {name}` says which."
            )
        return f"Started {name} ({begun.ref}). Its result goes to {workflow.channel}."


def _say_snoozed(session: Session, about: str, by: str, to: Actor | None = None) -> None:
    """The digest says that it is held, and loses the button: the shared one, or the one of this account."""
    for row in outbox.copies(session, about):
        body = row.content
        if isinstance(body, Text) and (row.to.account if row.to else None) == (to.account if to else None):
            left = tuple(action for action in body.actions if action.verb not in (SNOOZE, SNOOZE_MINE))
            footer = f"{body.footer} · held for a day by {by}" if body.footer else f"Held for a day by {by}"
            outbox.revise(session, row.id, body.model_copy(update={"actions": left, "footer": footer}))
