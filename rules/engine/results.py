"""What a tool returned, as it is kept and as the agent reads it."""

from __future__ import annotations

import json

import orjson

from kernel.types import Labelled, ToolResult


def storable(result: ToolResult) -> ToolResult:
    """The result, or one that says why it cannot be kept: half characters, numbers beyond 64 bits."""
    try:
        orjson.dumps(result.model_dump(mode="json"))
    except (TypeError, ValueError):
        text = json.dumps(result.content)[1:-1]
        return ToolResult(content=text, error=result.error, summary="Its result was not plain text")
    return result


def with_note(result: ToolResult, note: str) -> ToolResult:
    """The result, led by what people changed before they approved. Labels of the content stay as they are."""
    pieces = (Labelled(text=note, origin="nowhere"), *result.pieces) if result.pieces else ()
    return result.model_copy(update={"content": f"{note}\n\n{result.content}", "pieces": pieces})
