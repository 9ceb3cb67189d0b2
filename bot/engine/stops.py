"""Stopping a run, and having a failed one go on: who may, and what happens to what waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kernel import ledger
from kernel.errors import NotAllowed, NotFound
from kernel.store import runs, wake
from workflows.engine import history

if TYPE_CHECKING:
    from kernel.clock import Clock
    from kernel.people import Directory
    from kernel.store import Session, Store
    from kernel.types import Actor, Person, Place

ADMIN = "admin"  # the role that may stop and retry what others began


class Withdrawals(Protocol):
    """Takes back the approvals of a run that is stopped."""

    def withdraw(self, session: Session, run_id: str, reason: str) -> object:
        """No decision on this run's calls is wanted any more."""
        ...


class Stops:
    """Stops and retries."""

    def __init__(self, store: Store, clock: Clock, directory: Directory, withdrawals: Withdrawals) -> None:
        self.store = store
        self.clock = clock
        self.directory = directory
        self.withdrawals = withdrawals

    async def stop(self, ref: str, person: Person, actor: Actor) -> str:
        """End the run before its next step; NotAllowed for who neither began it nor is an administrator."""
        run = await self._mine(ref, person, actor, "stop")

        def ask(session: Session) -> str:
            now = self.clock.now()
            current = runs.locked(session, run.id)
            if current.state in runs.FINAL:
                return f"{run.ref} has already ended."
            told = f"{run.ref} is being stopped."
            if current.stop_requested_by is None:
                told = f"Stopping {run.ref}. What was already done stays done; I'll say what."
                current.stop_requested_by = person.id
                session.add(current)
                session.flush()
                ledger.append(session, now, "run.stop", run.id, {"run": run.ref, "by": person.id})
            self.withdrawals.withdraw(session, run.id, f"{person.name} stopped the run")
            put_off = (runs.QUEUED,) if current.retry_at is not None else ()  # it waits for the model: end it now
            runs.next_segment(session, run.id, now, from_states=(runs.WAITING, *put_off))
            wake(session, runs.STOP, run.id)
            return told

        return await self.store.write(ask)

    async def stop_here(self, place: Place, person: Person, actor: Actor) -> str:
        """End the run in this thread."""
        run = await self.store.read(lambda session: runs.active_at(session, place))
        if run is None:
            return "Nothing is running in this thread."
        return await self.stop(run.ref, person, actor)

    async def retry(self, ref: str, person: Person, actor: Actor) -> str:
        """Continue a failed run from what it had saved."""
        run = await self._mine(ref, person, actor, "retry")

        def again(session: Session) -> str:
            now = self.clock.now()
            if not runs.next_segment(session, run.id, now, from_states=(runs.FAILED,)):
                return f"{run.ref} has not failed, so there is nothing to retry."
            runs.occupy(session, run.id)
            ledger.append(session, now, "run.retry", run.id, {"run": run.ref, "by": person.id})
            return f"Trying {run.ref} again from where it stood."

        return await self.store.write(again)

    async def skip(self, ref: str, person: Person, actor: Actor) -> str:
        """Continue a failed run of a workflow without the step that failed."""
        run = await self._mine(ref, person, actor, "skip a step of")

        def without(session: Session) -> str:
            now = self.clock.now()
            if runs.locked(session, run.id).state != runs.FAILED:
                return f"{run.ref} has not failed, so there is nothing to skip."
            step = history.skip(session, run.id, person.name, now)
            if not step:
                return f"No step of {run.ref} has failed that could be skipped. `retry {run.ref}` tries it again."
            runs.next_segment(session, run.id, now, from_states=(runs.FAILED,))
            runs.occupy(session, run.id)
            ledger.append(session, now, "run.skip", run.id, {"run": run.ref, "by": person.id, "step": step})
            return f"{run.ref} goes on without `{step}`."

        return await self.store.write(without)

    async def _mine(self, ref: str, person: Person, actor: Actor, verb: str) -> runs.Run:
        run, begun_by = await self.store.read(lambda session: _begun(session, ref))
        own = self.directory.principal(begun_by) == person.id
        if not own and not await self.directory.holds(person, ADMIN, actor):
            raise NotAllowed(f"Only the person who began {run.ref}, or an administrator, may {verb} it.")
        return run


def _begun(session: Session, ref: str) -> tuple[runs.Run, str]:
    run = runs.by_ref(session, ref)
    if run is None:
        raise NotFound(f"There is no run {ref}.")
    return run, history.begun_by(session, run)
