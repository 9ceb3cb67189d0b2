"""What a model gets to read: earlier runs of the thread, the request, what has happened in this run since.

The same transcript always gives the same messages, and a longer one only adds to them, except where too much has been
read and old results are shortened. Caches and the signatures of thinking blocks depend on that: `prefix` is a digest
of everything before an answer, and a thinking block goes back only behind the prefix that it was thought upon.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import orjson

from agents.engine import background, caveats
from agents.engine.model import Message
from agents.engine.quoting import RESULT_LIMIT, fence, shorten, source_blocks
from kernel.types import Actor, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agents.engine.transcript import Line
    from kernel.store.run_steps import PastRun, RunState
    from kernel.types import Json, ToolSchema

Block = dict[str, "Json"]

CHARS_PER_TOKEN = 3.2  # cautious: newer tokenizers make more of the same text
EARLIER = 8_000  # tokens of earlier runs
MOST = 150_000  # tokens of messages; beyond, the oldest results are shortened ...
AFTERWARDS = 90_000  # ... until this is left, so that it does not happen again at the next turn
SHORT = 600  # characters that stay of a shortened result
THINKING = ("thinking", "redacted_thinking")
CONTINUE = "Your answer was cut off at the length limit. Go on exactly where it stopped, without repeating anything."
THOUGHT: Block = {"type": "text", "text": "(thought)"}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What stays the same for all turns of a segment."""

    run: RunState
    earlier: Sequence[PastRun]
    requester: str  # as people call them
    channel: str  # "#finance", or "" in a DM
    time_zone: str
    limit: int = MOST  # tokens


@dataclass(kw_only=True)
class _Messages:
    """Messages under construction: roles alternate, blocks of one role run together."""

    digest: hashlib.blake2b
    beside: list[Block] = field(default_factory=list)  # what goes with the first request
    found: list[tuple[str, list[Block]]] = field(default_factory=list)

    def add(self, role: str, blocks: list[Block]) -> None:
        self.digest.update(orjson.dumps([role, blocks]))
        if self.found and self.found[-1][0] == role:
            self.found[-1][1].extend(blocks)
        elif blocks:
            self.found.append((role, blocks))

    @property
    def prefix(self) -> str:
        return self.digest.hexdigest()


def messages(
    reading: Reading, lines: Sequence[Line], *, model: str, system: tuple[str, ...], tools: Iterable[ToolSchema]
) -> tuple[tuple[Message, ...], str]:
    """The messages for the next turn, and the digest of everything that the answer will stand upon."""
    start = [model, system, [tool.model_dump() for tool in tools]]
    made = _Messages(digest=hashlib.blake2b(orjson.dumps(start), digest_size=16))
    _add_earlier(made, reading)
    made.beside = [
        block
        for line in lines
        if "background" in line.content
        for block in background.blocks(line.content["background"], reading.requester)
    ]
    lines = [line for line in lines if "busy" not in line.content]
    handed = next((i for i in reversed(range(len(lines))) if "handover" in lines[i].content), -1)
    _add_handed(made, reading, lines[: handed + 1])
    kept = _kept_results(lines, reading.limit)
    for line in lines[handed + 1 :]:
        _add_line(made, reading, line, kept)
    if made.found[-1][0] == "assistant":
        made.add("user", [_text(CONTINUE)])
    return tuple(Message(role=role, content=tuple(blocks)) for role, blocks in made.found), made.prefix


def _add_line(made: _Messages, reading: Reading, line: Line, kept: dict[int, int]) -> None:
    if line.kind == "user":
        made.add("user", _request(made, reading, line))
    elif line.kind == "results":
        limit = kept.get(line.number, RESULT_LIMIT)
        made.add("user", [_result(result, limit) for result in line.content["results"]])
    elif line.kind == "assistant":
        if made.found and made.found[-1][0] == "assistant":
            made.add("user", [_text(CONTINUE)])
        raw = line.content["raw"]
        if line.content["prefix"] != made.prefix:
            raw = [block for block in raw if block["type"] not in THINKING]
        made.add("assistant", list(raw) or [THOUGHT])


def _add_earlier(made: _Messages, reading: Reading) -> None:
    """Earlier runs of the thread as questions and answers, the newest that fit."""
    left = EARLIER * CHARS_PER_TOKEN
    chosen: list[PastRun] = []
    for run in reversed(reading.earlier):
        left -= len(run.request) + len(run.answer or "")
        if left < 0 and chosen:
            break
        chosen.insert(0, run)
    if len(chosen) < len(reading.earlier):
        made.add("user", [_text("[Earlier messages of this thread are left out here.]")])
    for run in chosen:
        asker = run.actor.name if run.actor and run.actor.name else run.requester
        budget = int(EARLIER * CHARS_PER_TOKEN) // 2
        made.add("user", [_text(f"{asker}: {shorten(run.request, budget)}")])
        made.add(
            "assistant", [_text(shorten(run.answer or f"(This request ended without an answer: {run.state}.)", budget))]
        )


def _request(made: _Messages, reading: Reading, line: Line) -> list[Block]:
    """Context and what is known first, then who asks where and when, and as the last block the bare text."""
    content = line.content
    blocks: list[Block] = []
    heard = [item for item in content.get("context") or () if not (item.get("mine") and reading.earlier)]
    if heard:
        blocks.append(_quoted("Messages in this thread before the request:", heard))
    if about := content.get("about"):
        blocks.append(_quoted("The message that the request is about:", about))
    blocks += made.beside
    made.beside = []
    asker = reading.requester
    actor = content.get("actor")
    if line.asker not in (reading.run.requester, None):
        asker = str((isinstance(actor, dict) and actor.get("name")) or line.asker)
    where = f"in {reading.channel}" if reading.channel.startswith("#") else ""
    if reading.run.where.kind == "dm":
        where = "in a direct message"
    when = reading.run.created_at.astimezone(ZoneInfo(reading.time_zone)).strftime("%A %d %B %Y, %H:%M")
    head = " ".join(f"Request of {asker} {where}, {when} ({reading.time_zone}).".split()).replace(" ,", ",")
    names = [str(file.get("name", "")) for file in content.get("files") or () if isinstance(file, dict)]
    if names:
        head += "\nAttached: " + ", ".join(names)
    return [*blocks, _text(head), _text(content["text"] or "(no text)")]


def _quoted(what: str, heard: Iterable[dict[str, Json]]) -> Block:
    said = "\n".join(f"{_speaker(item)}: {item.get('text', '')}" for item in heard)
    return _text(f"{what}\n" + fence("quoted", said, source="thread"))


def _speaker(item: dict[str, Json]) -> str:
    if item.get("mine"):
        return str(item.get("name") or "Bosun")
    actor = item.get("actor")
    if isinstance(actor, dict):
        known = Actor.model_validate(actor)
        return f"{known.name or known.user}{' (bot)' if known.is_bot else ''}"
    return str(actor or "somebody")


def _add_handed(made: _Messages, reading: Reading, lines: Sequence[Line]) -> None:
    """What happened before another agent handed this on, told as text: its calls were made with other tools."""
    for line in lines:
        if line.kind == "user":
            made.add("user", _request(made, reading, line))
        elif line.kind == "results":
            found = [r for r in line.content["results"] if not r.get("handover")]
            for each in found:
                said, *sources = _wrapped(each, RESULT_LIMIT)
                made.add("user", [_text(f"{each['tool']} gave:\n{said['text']}"), *sources])
        elif "handover" in line.content:
            note = line.content["handover"]
            made.add("user", [_text(f"{note['from']} hands this request to you, {note['to']}: {note['task']}")])


def _result(result: dict[str, Json], limit: int) -> Block:
    said, *sources = _wrapped(result, limit)
    content = [said, *sources] if sources else said["text"]
    block: Block = {"type": "tool_result", "tool_use_id": result["use_id"], "content": content}
    return {**block, "is_error": True} if result["error"] else block


def _wrapped(result: dict[str, Json], limit: int) -> list[Block]:
    """What a result says, fenced, and its sources; of a shortened one these are left out."""
    text = shorten(result["content"], limit, "Ask for the part that you need.")
    wrapped = fence("tool_output", text, tool=result["tool"])
    sources = [Source.model_validate(source) for source in result.get("sources") or ()]
    if not sources or limit != RESULT_LIMIT:
        return [_text(wrapped)]
    return [_text("\n".join([wrapped, *caveats.told(result)])), *source_blocks(sources)]


def _kept_results(lines: Sequence[Line], limit: int) -> dict[int, int]:
    """How many characters of the results of which line stay, where that is fewer than usual.

    Walks through the run as it grew: what is shortened at one turn is shortened the same at every later one.
    """
    kept: dict[int, int] = {}
    sizes: dict[int, int] = {}
    for line in lines:
        sizes[line.number] = _size(line)
        if sum(sizes.values()) <= limit * CHARS_PER_TOKEN:
            continue
        goal = limit * CHARS_PER_TOKEN * AFTERWARDS / MOST
        for old in lines:
            if old.number >= line.number or sum(sizes.values()) <= goal:
                break
            if old.kind == "results" and old.number not in kept:
                kept[old.number] = SHORT
                sizes[old.number] = min(sizes[old.number], SHORT * len(old.content["results"]))
    return kept


def _size(line: Line) -> int:
    if line.kind == "results":
        return sum(
            min(len(result["content"]), RESULT_LIMIT) + sum(len(source["quote"]) for source in result["sources"])
            for result in line.content["results"]
        )
    return len(orjson.dumps(line.content.get("raw") or line.content))


def _text(text: str) -> Block:
    return {"type": "text", "text": text}
