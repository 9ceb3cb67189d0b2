"""What people see of a call before they decide on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from pydantic import Field

from kernel.types import Fact, Frozen, Payload

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kernel.types import Json

HEADLINE = 120  # characters


class Preview(Frozen):
    """A call in words: verb and object, the facts that matter, the literal content."""

    headline: str = Field(max_length=HEADLINE)  # "Post to #finance"
    facts: tuple[Fact, ...] = Field(default=(), max_length=8)
    payloads: tuple[Payload, ...] = ()  # what will be written or sent, verbatim
    reversible: bool = True
    warning: str = ""  # what the approver must not miss


def one_line(text: str, limit: int = HEADLINE) -> str:
    """The text on one line and no longer than `limit` characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


def generic(name: str, authority: Iterable[str], arguments: Mapping[str, Json], *, reversible: bool) -> Preview:
    """The preview of a tool that brings none: its name, what it acts on, and the arguments as JSON."""
    targets = [one_line(_shown(arguments[key]), 60) for key in authority if key in arguments]
    verb = name.replace("_", " ").capitalize()
    return Preview(
        headline=one_line(f"{verb}: {', '.join(targets)}" if targets else verb),
        payloads=(literal(arguments),),
        reversible=reversible,
    )


def literal(arguments: Mapping[str, Json]) -> Payload:
    """All arguments, verbatim."""
    text = orjson.dumps(dict(arguments), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode()
    return Payload(title="Arguments", content=text)


def _shown(value: Json) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
