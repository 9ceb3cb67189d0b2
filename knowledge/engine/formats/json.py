"""JSON and JSON Lines: every record a paragraph of `path: value` lines, so that keys and values are found together."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from knowledge.engine.formats.plain import decode
from knowledge.engine.readable import NotReadable, Parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIXES = (".json", ".jsonl", ".ndjson")
MAX_VALUES = 200_000


def read(data: bytes) -> Parsed:
    """The values with their paths; NotReadable for what is no JSON."""
    text = decode(data)
    try:
        value = json.loads(text)
    except ValueError:
        value = _lines(text)
    except RecursionError as error:
        raise NotReadable("It is nested too deeply.") from error
    records = value if isinstance(value, list) else [value]
    paragraphs, left = [], MAX_VALUES
    for record in records:
        try:
            lines = list(_flat(record, ""))
        except RecursionError as error:
            raise NotReadable("It is nested too deeply.") from error
        left -= len(lines)
        if left < 0:
            raise NotReadable(f"It has more than {MAX_VALUES:,} values.", hint="Keep what people ask about.")
        paragraphs.append("\n".join(lines))
    return Parsed(text="\n\n".join(paragraphs), format="text")


def _lines(text: str) -> list[Any]:
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError) as error:
        raise NotReadable("It is not JSON.", hint=str(error)) from error


def _flat(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value):
        for number, inner in enumerate(value, 1):
            yield from _flat(inner, f"{path}.{number}" if path else str(number))
    elif isinstance(value, list):
        yield f"{path}: {', '.join(map(str, value))}"
    elif value is not None and value != "":
        yield f"{path}: {value}" if path else str(value)
