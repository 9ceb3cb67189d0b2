"""What a request in plain words would be as a call, for when no model is there to make one of it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from agents.engine.words import words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.types import Json, ToolSchema

ENOUGH = 2  # a word of the tool's name, or two of its description
_SENTENCE = re.compile(r"(?<=[.!?])\s")
_QUESTION = re.compile(
    r"\?\s*$|^\s*(who|what|when|where|why|which|how|is|are|does|do|did|has|have|was|were)\b", re.IGNORECASE
)


def as_call(text: str, tools: Iterable[ToolSchema]) -> str:
    """The tool that fits the request best, written out with gaps; empty for questions and where none fits."""
    if _QUESTION.search(text):
        return ""
    asked = words(text)
    scored = [(_score(asked, tool), len(_needed(tool)), tool.name, tool) for tool in tools]
    best = max(scored, key=lambda one: one[:3], default=None)
    return _written(best[3]) if best is not None and best[0] >= ENOUGH else ""


def _score(asked: set[str], tool: ToolSchema) -> int:
    first = _SENTENCE.split(tool.description, maxsplit=1)[0]
    return 2 * len(asked & words(tool.name)) + len(asked & words(first))


def _needed(tool: ToolSchema) -> list[str]:
    return list(tool.arguments.get("required", ()))


def _written(tool: ToolSchema) -> str:
    properties: dict[str, dict[str, Json]] = tool.arguments.get("properties", {})
    call = "\n  ".join([tool.name, *(f"{name}={_gap(properties.get(name, {}))}" for name in _needed(tool))])
    hints = [(name, str(properties.get(name, {}).get("description", ""))) for name in _needed(tool)]
    listed = "\n".join(f"- `{name}`: {hint}" for name, hint in hints if hint)
    return f"If you want it done, fill this in and answer with it here:\n\n```\n{call}\n```\n\n{listed}".rstrip()


def _gap(schema: dict[str, Json]) -> str:
    return json.dumps("...") if schema.get("type", "string") == "string" else "..."
