"""A run's transcript in memory: what is saved, what is still to be saved, and what both say about the next step."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kernel.store import runs
from kernel.types import Json, ToolCall

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from agents.engine.model import ModelAnswer
    from kernel.store import Session
    from kernel.store.run_steps import Row

Kind = Literal["user", "assistant", "results", "note"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One entry. `content` has the keys that `architecture.md` names for its kind."""

    number: int
    kind: Kind
    content: dict[str, Json]

    @property
    def asker(self) -> str | None:
        """Of a user line: the id of the person who wrote it; None where nobody is named."""
        person = self.content.get("person")
        return str(person["id"]) if isinstance(person, dict) else person

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """What an assistant line asks for."""
        return tuple(ToolCall.model_validate(call) for call in self.content.get("calls", ()))


class Transcript:
    """The lines of one run. Lines that are not saved yet follow from saved ones: a crash loses nothing of value."""

    def __init__(self, entries: Iterable[Row]) -> None:
        self.lines = [Line(number=e.number, kind=e.kind, content=e.content) for e in entries]  # type: ignore[arg-type]  # the column holds no other kinds
        self._saved = len(self.lines)

    def add(self, kind: Kind, content: dict[str, Json]) -> Line:
        """Put a line at the end, to be saved with the next write."""
        number = self.lines[-1].number + 1 if self.lines else 1
        line = Line(number=number, kind=kind, content=content)
        self.lines.append(line)
        return line

    def save(self, session: Session, run_id: str, now: datetime) -> bool:
        """Save what is not saved yet. False if another process has written a line of the same number."""
        fresh = [
            runs.append(session, run_id, line.number, line.kind, line.content, now)
            for line in self.lines[self._saved :]
        ]
        return all(fresh)

    def mark_saved(self) -> None:
        """What was saved is committed."""
        self._saved = len(self.lines)

    @property
    def last(self) -> Line:
        """The last line that asks for something: notes of waiting are passed over."""
        return next(line for line in reversed(self.lines) if "busy" not in line.content)

    @property
    def turns(self) -> int:
        """Answers of the model so far."""
        return sum(line.kind == "assistant" for line in self.lines)

    @property
    def waits(self) -> list[dict[str, Json]]:
        """The notes of waiting for the model since it last answered."""
        found: list[dict[str, Json]] = []
        for line in reversed(self.lines):
            if "busy" not in line.content:
                break
            found.append(line.content["busy"])
        return found

    @property
    def handovers(self) -> list[dict[str, Json]]:
        """The notes of handing over, oldest first."""
        return [line.content["handover"] for line in self.lines if "handover" in line.content]

    def results(self) -> Iterable[dict[str, Json]]:
        """All results of calls, oldest first."""
        for line in self.lines:
            if line.kind == "results":
                yield from line.content["results"]

    @property
    def background(self) -> dict[str, Json] | None:
        """What the run began with beside the request."""
        return next((line.content["background"] for line in self.lines if "background" in line.content), None)

    def cited_from(self) -> Iterable[dict[str, Json]]:
        """Everything that has numbered sources, in the order of their numbers."""
        if self.background is not None:
            yield self.background
        yield from self.results()

    def failures_of(self, call: ToolCall) -> list[str]:
        """What came back when exactly this call was tried before and failed."""
        wanted = _key(call)
        asked = {
            earlier.id
            for line in self.lines
            if line.kind == "assistant"
            for earlier in line.calls
            if earlier.id != call.id and _key(earlier) == wanted
        }
        return [result["content"] for result in self.results() if result["use_id"] in asked and result["error"]]

    def spoken(self) -> str:
        """What the model has said since it last asked for something: one answer may come in several parts."""
        parts: list[str] = []
        for line in reversed(self.lines):
            if "busy" in line.content:
                continue
            if line.kind != "assistant" or line.content["calls"]:
                break
            parts.append(line.content["text"])
        return "".join(reversed(parts)).strip()

    def continued(self) -> int:
        """How many parts the answer has that is being continued."""
        count = 0
        for line in reversed(self.lines):
            if "busy" in line.content:
                continue
            if line.kind != "assistant" or line.content["calls"]:
                break
            count += 1
        return count

    def use_ids(self) -> set[str]:
        """The ids of all calls so far."""
        return {call["id"] for line in self.lines if line.kind == "assistant" for call in line.content["calls"]}


def said(answer: ModelAnswer, *, agent: str, model: str, prefix: str, used: set[str], number: int) -> dict[str, Json]:
    """The content of an assistant line. A call whose id was used before in this run gets another one:

    results are kept by that id, and a service that counts its ids anew would get the result of an earlier call.
    """
    calls: list[dict[str, Json]] = []
    blocks: list[dict[str, Json]] = []
    taken = set(used)
    uses = iter(answer.calls)
    for block in answer.raw:
        if block["type"] != "tool_use":
            blocks.append(block)
            continue
        call = next(uses)
        use_id = call.id if call.id and call.id not in taken else f"{call.id or 'use'}-{number}-{len(calls)}"
        taken.add(use_id)
        calls.append({"id": use_id, "tool": call.tool, "arguments": call.arguments})
        blocks.append({**block, "id": use_id})
    return {
        "text": answer.text,
        "calls": calls,
        "raw": blocks,
        "stop": answer.stop,
        "detail": answer.detail,
        "usage": answer.usage.model_dump(),
        "cost_usd": answer.cost_usd,
        "cost_known": answer.cost_known,
        "most_usd": answer.most_usd,
        "agent": agent,
        "model": model,
        "prefix": prefix,
    }


def _key(call: ToolCall) -> str:
    return json.dumps([call.tool, call.arguments], sort_keys=True)
