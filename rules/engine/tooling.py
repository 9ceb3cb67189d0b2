"""What the rules have to see of a tool. Tools themselves are imported by the door alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kernel.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from kernel.types import Effect, Json, ToolSchema


class GovernedTool(Protocol):
    """A tool as the rules see it."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def effect(self) -> Effect:
        """What it does to the world."""
        ...

    @property
    def authority(self) -> tuple[str, ...]:
        """Arguments that say who, where or what it acts on."""
        ...

    @property
    def free_text(self) -> tuple[str, ...]:
        """Arguments that are prose."""
        ...

    @property
    def always_asked(self) -> bool:
        """No rule lets it through without people."""
        ...

    @property
    def look_up(self) -> tuple[str, ...]:
        """Arguments that are search words."""
        ...

    @property
    def posts_to(self) -> str:
        """The argument that names the channel whose readers will read the free text; empty: there is none."""
        ...

    @property
    def schema(self) -> ToolSchema:
        """What a model is told of it."""
        ...

    def parse(self, arguments: Mapping[str, Json]) -> BaseModel:
        """The arguments as a typed value; ToolError with a sentence if they do not fit."""
        ...


class Tools(Protocol):
    """The tools by name."""

    def get(self, name: str) -> GovernedTool | None:
        """The tool with this name."""
        ...


def exact(tool: GovernedTool, arguments: Mapping[str, Json]) -> dict[str, Json]:
    """The arguments as the tool will act on them, defaults filled in. ToolError if they do not fit."""
    return tool.parse(arguments).model_dump(mode="json", by_alias=True)


def call_digest(tool: str, arguments: Mapping[str, Json]) -> str:
    """The identity of a call: SHA-256 of the canonical JSON of the tool's name and the exact arguments.

    Values that canonical JSON cannot carry raise ValueError.
    """
    return digest({"tool": tool, "arguments": dict(arguments)})
