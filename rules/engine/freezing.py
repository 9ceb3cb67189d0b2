"""Freezing: what is frozen begins no tool call and no turn of a model, until somebody thaws it.

Every process keeps what is frozen in memory, so that nothing is looked up while nothing is; it is read again each
second and whenever this process changes it. Whatever begins a call looks once more in the transaction that begins it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import ledger
from kernel.store import calls, freezes, runs
from rules.engine.outcome import Freeze, SegmentOvertaken

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from kernel.store import Session, Store
    from kernel.store.freezes import FreezeState
    from kernel.types import RunFacts

EVERYTHING = "everything"


class FrozenError(Exception):
    """The call may not begin now. It is not refused: it is held."""

    def __init__(self, freeze: Freeze) -> None:
        super().__init__(freeze.scope)
        self.freeze = freeze


class Freezes:
    """What is frozen, as this process knows it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._known: tuple[FreezeState, ...] = ()

    async def refresh(self) -> None:
        """Read what is frozen."""
        self._known = tuple(await self.store.read(freezes.in_force))

    async def covering(self, *, agent: str, channel: str, tool: str = "") -> Freeze | None:
        """The freeze that stands in the way; None where there is none. It is exact wherever anything is frozen."""
        if not self._known:
            return None
        await self.refresh()
        return covering(self._known, agent=agent, channel=channel, tool=tool)


def covering(known: Iterable[FreezeState], *, agent: str, channel: str, tool: str = "") -> Freeze | None:
    """The first freeze that covers work of this agent, in this channel, with this tool."""
    scopes = {EVERYTHING, f"agent:{agent}", f"channel:{channel}", f"tool:{tool}"}
    found = next((freeze for freeze in known if freeze.scope in scopes), None)
    return None if found is None else Freeze(scope=found.scope, by=found.by_name, reason=found.reason)


def fence(session: Session, run: RunFacts, tool: str) -> None:
    """Let the call begin in this transaction. SegmentOvertaken and FrozenError say why it may not.

    It is one statement as long as nothing is frozen.
    """
    current, any_freeze = calls.may_begin(session, run.run_id, run.segment)
    if not current:
        raise SegmentOvertaken
    if any_freeze:
        found = covering(freezes.in_force(session), agent=run.agent, channel=run.channel_name, tool=tool)
        if found is not None:
            raise FrozenError(found)


def hold(session: Session, run_id: str, freeze: Freeze, now: datetime) -> bool:
    """The run waits for the thaw from now on; False if it has come already. The caller parks the run."""
    if not freezes.hold(session, run_id, freeze.scope):
        return False
    ledger.append(session, now, "run.held", run_id, {"scope": freeze.scope})
    return True


def thaw(session: Session, scope: str, now: datetime) -> list[str] | None:
    """End the freeze, and let what it held go on: the ids of those runs. None where it was not frozen."""
    if not freezes.end(session, scope):
        return None
    waiting = freezes.held_by(session, scope)
    for run_id in waiting:
        runs.next_segment(session, run_id, now)
    freezes.release(session, waiting)
    return waiting


def in_words(scope: str) -> str:
    """ "everything", "the agent ops", "the tool send_mail", "#finance"."""
    kind, _, name = scope.partition(":")
    return {"agent": f"the agent {name}", "tool": f"the tool {name}", "channel": name}.get(kind, kind)
