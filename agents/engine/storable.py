"""Whatever a model says must fit into the database: what no database takes is replaced, nothing else is touched."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agents.engine.model import ModelAnswer
    from kernel.types import Json

EXACT = 2**53 - 1  # larger integers have no canonical JSON
DEPTH = 60
_BAD = re.compile(r"[\x00\ud800-\udfff]")


def storable(answer: ModelAnswer) -> ModelAnswer:
    """The answer with every text valid Unicode, and every number of the calls one that JSON can carry exactly."""
    calls = tuple(call.model_copy(update={"arguments": _json(call.arguments)}) for call in answer.calls)
    changed = {
        "text": clean(answer.text),
        "detail": clean(answer.detail),
        "calls": calls,
        "raw": tuple(map(_json, answer.raw)),
    }
    return answer.model_copy(update=changed)


def clean(text: str) -> str:
    """`text` with a replacement character for NUL and for halves of surrogate pairs."""
    return _BAD.sub("\ufffd", text)


def _json(value: Json, depth: int = 0) -> Json:
    if depth > DEPTH:
        return None
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(key)): _json(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item, depth + 1) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > EXACT:
        return str(value)
    return value
