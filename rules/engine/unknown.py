"""A call that was started and whose end nobody saw: a person is asked what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import ledger
from kernel.store import approvals as rows
from kernel.store import calls, runs
from rules.engine import facts as facts_of_calls
from rules.engine import recording
from rules.engine.outcome import Parked, SegmentOvertaken
from rules.engine.preview import plain, preview
from rules.engine.record import Preview, preview_of

if TYPE_CHECKING:
    from kernel.store import Session
    from kernel.store.calls import CallState
    from kernel.types import RunFacts
    from rules.engine.requests import Requests
    from rules.engine.services import Services
    from rules.engine.tooling import Tools


def ask(  # noqa: PLR0917  what it takes to show the call
    session: Session, services: Services, requests: Requests, tools: Tools, call_id: str, run: RunFacts
) -> Parked:
    """Ask, in the transaction that notes that the outcome is not known. SegmentOvertaken where somebody was first."""
    recording.fence(session, run)
    call = calls.by_id(session, call_id)
    if call is None or not calls.move(session, call_id, (runs.STARTED,), runs.UNKNOWN):
        raise SegmentOvertaken
    body = {"run": run.run_id, "tool": call.tool, "digest": call.digest}
    ledger.append(session, services.clock.now(), "call.unknown", call_id, body)
    row = requests.ask_outcome(session, call, _preview(session, tools, call, run), run)
    return Parked(refs=(row.ref,))


def _preview(session: Session, tools: Tools, call: CallState, run: RunFacts) -> Preview:
    before = rows.of_call(session, call.id)
    if before is not None:
        return preview_of(before)
    tool = tools.get(call.tool)
    if tool is None:
        name = f"The tool {call.tool}, which is gone"
        return Preview(headline=name, requester=run.requester.name, run=run.ref, place=run.place)
    origins = facts_of_calls.origins_from_json(call.origins)
    shown = plain(tool, call.arguments)
    return preview(tool, call.arguments, origins, run, shown, claim="", nearest="")
