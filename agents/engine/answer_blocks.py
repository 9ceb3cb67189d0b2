"""Puts the events of a streamed answer together again. Knows the shape of the Messages API, imports nothing of it.

The library's own accumulator parses a call's arguments anew at every delta, and ends without an error when the
connection closes early; here arguments are parsed once, and an answer without its end does not count as one.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agents.engine.citations import numbered, numbered_once
from agents.engine.model import ModelAnswer, Stop, Usage
from agents.engine.quoting import number_of
from kernel.types import Json, ToolCall

if TYPE_CHECKING:
    from collections.abc import Callable

STOPS: dict[str, Stop] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "tool_use": "tools",
    "max_tokens": "max_tokens",
    "model_context_window_exceeded": "max_tokens",
    "refusal": "refusal",
    "pause_turn": "pause",
}
COMPLETE: frozenset[Stop] = frozenset({"end", "tools"})  # calls of any other answer may be cut, or meant otherwise


class AnswerBlocks:
    """The answer so far. `done` is set by the last event; without it the stream was dropped."""

    def __init__(self, on_text: Callable[[str], None] | None = None) -> None:
        self.done = False
        self._on_text = on_text
        self._blocks: list[dict[str, Json]] = []
        self._cited: dict[int, list[int]] = {}  # block -> the numbers of the sources that the service says it cites
        self._open = -1  # the block that still grows
        self._arguments: dict[int, list[str]] = {}
        self._usage: dict[str, int] = {}
        self._reason = ""
        self._detail = ""

    def take(self, event: Any) -> None:
        """Add one event. Kinds that this version does not know are passed over."""
        match event.type:
            case "message_start":
                self._count(event.message.usage)
            case "content_block_start":
                self._blocks.append(event.content_block.to_dict())
                self._open = event.index
            case "content_block_delta":
                self._delta(event.index, event.delta)
            case "content_block_stop":
                self._open = -1
                if self._on_text and event.index in self._cited:
                    self._on_text(self.text)
            case "message_delta":
                self._reason = event.delta.stop_reason or self._reason
                self._detail = getattr(event.delta.stop_details, "explanation", None) or self._detail
                self._count(event.usage)
            case "message_stop":
                self.done = True

    def _delta(self, index: int, delta: Any) -> None:
        block = self._blocks[index]
        match delta.type:
            case "text_delta":
                block["text"] += delta.text
                if self._on_text:
                    self._on_text(self.text)
            case "citations_delta":
                number = number_of(getattr(delta.citation, "title", None) or "")
                if number is not None:
                    self._cited.setdefault(index, []).append(number)
            case "input_json_delta":
                self._arguments.setdefault(index, []).append(delta.partial_json)
            case "thinking_delta":
                block["thinking"] += delta.thinking
            case "signature_delta":
                block["signature"] = delta.signature

    def _count(self, usage: Any) -> None:
        """Counts are cumulative: a later one replaces an earlier one, an absent one does not."""
        for name in ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"):
            count = getattr(usage, name, None)
            if count is not None:
                self._usage[name] = count

    @property
    def text(self) -> str:
        """What the model says to people, with the numbers of the sources that it cites."""
        return "\n\n".join(block["text"] for block in self._whole() if block["type"] == "text")

    def _whole(self) -> list[dict[str, Json]]:
        """The blocks as they are kept: text that was cut for its citations is one again, with their numbers in it.

        The service would take its citations back only together with the very results that they are counted in.
        """
        whole: list[dict[str, Json]] = []
        for index, block in enumerate(self._blocks):
            if block["type"] != "text":
                whole.append(block)
                continue
            text = block["text"]
            if index in self._cited and index != self._open:
                text = numbered(text, self._cited[index])
            if whole and whole[-1]["type"] == "text":
                text = whole.pop()["text"] + text
                text = numbered_once(text) if self._cited else text
            if text:  # the service refuses an empty text block
                whole.append({"type": "text", "text": text})
        return whole

    @property
    def usage(self) -> Usage:
        """What the service has counted so far."""
        return Usage(
            input=self._usage.get("input_tokens", 0),
            output=self._usage.get("output_tokens", 0),
            cache_read=self._usage.get("cache_read_input_tokens", 0),
            cache_write=self._usage.get("cache_creation_input_tokens", 0),
        )

    def answer(self) -> ModelAnswer:
        """The complete answer, without its cost."""
        stop = STOPS.get(self._reason, "unknown")
        whole = stop in COMPLETE
        calls = []
        for index, block in enumerate(self._blocks):
            if block["type"] == "tool_use" and whole:
                block["input"] = self._input(index, block)
                calls.append(ToolCall(id=block["id"], tool=block["name"], arguments=block["input"]))
        blocks = [block for block in self._whole() if whole or block["type"] != "tool_use"]
        return ModelAnswer(
            text=self.text,
            calls=tuple(calls),
            stop="tools" if calls else "end" if stop == "tools" else stop,
            detail=self._detail or (self._reason if stop == "unknown" else ""),
            usage=self.usage,
            raw=tuple(blocks),
        )

    def _input(self, index: int, block: dict[str, Json]) -> dict[str, Json]:
        """The arguments of a call. What is no JSON object becomes one that fits no tool, so that the model is told."""
        written = "".join(self._arguments.get(index, ()))
        try:
            value = json.loads(written) if written.strip() else block.get("input", {})
        except ValueError:
            value = None
        return value if isinstance(value, dict) else {"unreadable": written}
