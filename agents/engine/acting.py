"""What becomes of the calls of one answer: they go through the door side by side; a few the loop answers itself."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.engine import caveats, handover
from kernel.types import Labelled, ToolResult
from rules.engine.outcome import Finished

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents.engine.citations import Numbering
    from agents.engine.definition import AgentDefinition, Roster
    from agents.engine.ports import Door
    from agents.engine.transcript import Transcript
    from kernel.types import Json, RunFacts, ToolCall
    from rules.engine.outcome import Outcome

ASKED = ("query", "words")  # arguments that say what is looked for
SAME_FAILURES = 2  # an exact call that failed this often in a run is not tried again


@dataclass(kw_only=True)
class Own:
    """What the loop answers itself, by id of the call, and to whom the request goes on."""

    results: dict[str, ToolResult]
    handed: tuple[ToolCall, AgentDefinition] | None = None


def own_answers(calls: Sequence[ToolCall], transcript: Transcript, roster: Roster, agent: AgentDefinition) -> Own:
    """Handovers, and calls that failed again and again. Follows from the transcript, so a re-run decides alike."""
    own = Own(results={})
    done = len(transcript.handovers)
    for call in calls:
        failures = transcript.failures_of(call)
        if call.tool == handover.ASK_AGENT:
            found = handover.target(call, roster, agent, done=done)
            if isinstance(found, str):
                own.results[call.id] = _words(found, error=True)
            elif own.handed is not None:
                own.results[call.id] = _words("The request goes to one specialist only.", error=True)
            else:
                own.handed = (call, found)
                own.results[call.id] = _words(f"{found.shown} takes over.", error=False)
        elif len(failures) >= SAME_FAILURES:
            told = f"Not tried again: exactly this call failed {len(failures)} times. Do something else, or say so."
            own.results[call.id] = _words(told, error=True)
    return own


async def perform(
    door: Door, calls: Sequence[ToolCall], facts: RunFacts, entry: int, own: Own, *, fresh: bool
) -> list[Outcome]:
    """The outcome of every call, in their order. If one raises, the others are finished first."""

    async def one(call: ToolCall) -> Outcome:
        known = own.results.get(call.id)
        return Finished(result=known) if known is not None else await door.act(call, facts, entry, fresh=fresh)

    outcomes: list[Outcome] = []
    for outcome in await asyncio.gather(*map(one, calls), return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
        outcomes.append(outcome)
    return outcomes


def entry_of(call: ToolCall, result: ToolResult, numbering: Numbering, own: Own) -> dict[str, Json]:
    """A result as the transcript keeps it, with its sources numbered for the run."""
    handed = own.handed is not None and own.handed[0].id == call.id
    before = list(numbering.known)
    sources = numbering.number(result.sources)
    asked = " ".join(str(call.arguments.get(name, "")) for name in ASKED).strip()
    differ = caveats.differing(asked, [*before, *sources], new=sources) if asked else []
    return {
        "use_id": call.id,
        "tool": call.tool,
        "content": result.content,
        "error": result.error,
        "pieces": [piece.model_dump(exclude_defaults=True) for piece in result.pieces],
        "sources": [source.model_dump() for source in sources],
        "summary": result.summary,
        **({"differ": differ} if differ else {}),
        **({"handover": True} if handed else {}),
    }


def _words(sentence: str, *, error: bool) -> ToolResult:
    """A sentence of our own: it gives nothing that the model invented more authority."""
    pieces = (Labelled(text=sentence, origin="nowhere"),)
    return ToolResult(content=sentence, pieces=pieces, error=error, summary=sentence[:200])
