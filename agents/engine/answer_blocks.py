"""Puts the events of a streamed answer together again. Knows the shape of the Messages API, imports nothing of it.

The library's own accumulator parses a call's arguments anew at every delta, and ends without an error when the
connection closes early; here arguments are parsed once, and an answer without its end does not count as one.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agents.engine.model import ModelAnswer, Stop, Usage
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
            case "content_block_delta":
                self._delta(event.index, event.delta)
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
        """What the model says to people."""
        return "\n\n".join(block["text"] for block in self._blocks if block["type"] == "text" and block["text"])

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
        blocks, calls = [], []
        for index, block in enumerate(self._blocks):
            if block["type"] == "tool_use":
                if not whole:
                    continue
                block["input"] = self._input(index, block)
                calls.append(ToolCall(id=block["id"], tool=block["name"], arguments=block["input"]))
            if block["type"] != "text" or block["text"]:  # the service refuses an empty text block
                blocks.append(block)
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
