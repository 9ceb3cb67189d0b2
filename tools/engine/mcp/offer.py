"""What an MCP server says of one of its tools, brought into bounds, with the digest by which it is reviewed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.canonical import digest
from kernel.types import Frozen, Json
from tools.engine import given_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 4_000  # characters of a description


class Offer(Frozen):
    """A tool as its server describes it now."""

    name: str
    description: str
    arguments: Json  # JSON Schema
    digest: str  # of both; empty where it cannot be used
    problem: str = ""  # why it cannot be used, in our words


def offer(name: str, description: str, arguments: Mapping[str, Json]) -> Offer:
    """The offer of a server. What cannot be shown to people or given to a model makes it unusable."""
    shown = "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in description).strip()
    problem = ""
    if len(shown) > LONGEST:
        problem = f"its description is longer than {LONGEST:,} characters"
        shown = shown[:LONGEST]
    try:
        given_schema.check(arguments)
        mark = digest({"description": shown, "arguments": dict(arguments)})
    except given_schema.SchemaUnusable as error:
        return Offer(name=name, description=shown, arguments={}, digest="", problem=str(error))
    except (ValueError, TypeError, RecursionError):
        return Offer(name=name, description=shown, arguments={}, digest="", problem="it holds values that are no JSON")
    return Offer(
        name=name, description=shown, arguments=dict(arguments), digest="" if problem else mark, problem=problem
    )
