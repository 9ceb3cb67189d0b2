"""Taking back what calls did: which calls a reference means, whether they can be undone, and doing it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from kernel.errors import ToolError
from kernel.store import approvals, attempts, calls, runs
from tools.engine.failure import CannotDo

if TYPE_CHECKING:
    from kernel.store import Session
    from kernel.store.calls import CallState
    from tools.engine.context import ToolContext
    from tools.engine.tool import Tool

log = logging.getLogger(__name__)


async def undoable(ref: str, ctx: ToolContext) -> list[CallState]:
    """The calls that the reference of an approval or a run means and that can be undone, newest first.

    CannotDo where there are none, or where whoever asks may not know of them.
    """
    wanted = ref.strip().upper()
    found, taken_back = await ctx.store.read(lambda session: _calls(session, wanted, ctx))
    fitting = [call for call in found if call.state == runs.CALL_DONE and not call.result["error"]]
    ready = [call for call in fitting if call.id not in taken_back and _tool(call, ctx) is not None]
    if ready:
        return ready
    if any(call.id in taken_back for call in fitting):
        raise CannotDo(f"{wanted} was undone already.")
    if fitting:
        names = ", ".join(sorted({call.tool for call in fitting}))
        raise CannotDo(f"What {names} did cannot be undone.")
    raise CannotDo(f"Nothing was done in {wanted} that could be undone.")


async def take_back(call: CallState, ctx: ToolContext) -> str:
    """Undo one call, once; what came of it in a sentence. CannotDo where it can no longer be undone."""
    tool = _tool(call, ctx)
    if tool is None:
        raise CannotDo(f"What {call.tool} did cannot be undone.")
    result = await tool.take_back(call.arguments, call.result["data"], ctx)
    await ctx.store.write(lambda session: attempts.undo(session, call.id, ctx.call_id, ctx.clock.now()))
    return result.content


async def take_all_back(found: list[CallState], ctx: ToolContext) -> tuple[list[str], list[str]]:
    """Undo the calls in this order, whatever becomes of each: what was undone, and what could not be and why."""
    done, refused = [], []
    for call in found:
        try:
            done.append(await take_back(call, ctx))
        except ToolError as error:
            refused.append(f"{call.result['summary'] or call.tool}: {error.message}")
    return done, refused


def _tool(call: CallState, ctx: ToolContext) -> Tool | None:
    tool = ctx.catalogue.get(call.tool) if ctx.catalogue is not None else None
    return tool if tool is not None and tool.can_undo else None


def _calls(session: Session, ref: str, ctx: ToolContext) -> tuple[list[CallState], set[str]]:
    found: list[CallState] = []
    if ref.startswith("AP-"):
        row = approvals.by_ref(session, ref)
        call = calls.by_id(session, row.call_id) if row is not None else None
        found = [call] if call is not None else []
    elif ref.startswith("R-"):
        run = runs.by_ref(session, ref)
        found = calls.of_run(session, run.id) if run is not None else []
    known = [call for call in found if _may_know(session, call, ctx)]
    if not known:
        raise CannotDo(f"There is nothing called {ref} that you could undo.")
    # What this very call has undone before a crash is undone again: undoing twice is the same as once.
    undone = attempts.undone(session, [call.id for call in known])
    return known, {call_id for call_id, by in undone.items() if by != ctx.call_id}


def _may_know(session: Session, call: CallState, ctx: ToolContext) -> bool:
    """The requester's own run, or one of the channel in which it is asked for."""
    run = session.get(runs.Run, call.run_id)
    facts = ctx.facts
    return run is not None and (run.requester == facts.requester.id or run.where.lane == facts.place.lane)
