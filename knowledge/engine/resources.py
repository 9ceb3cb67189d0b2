"""What the MCP source asks of a server that tools.yaml names: what it offers to read, and reading it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kernel.types import Frozen

if TYPE_CHECKING:
    from collections.abc import Sequence


class Resource(Frozen):
    """Something that a server offers to read."""

    uri: str  # the server's identity of it
    title: str = ""
    media_type: str = ""
    version: str = ""  # when it was changed last, as the server says; empty where it says nothing


class Part(Frozen):
    """Some of what a resource holds: most have one part."""

    uri: str
    media_type: str = ""
    content: bytes
    is_text: bool  # the server sent it as text


class Resources(Protocol):
    """A server whose resources can be read. SourceAway where it cannot be asked, SourceCutOff where it refuses us."""

    async def offered(self) -> Sequence[Resource]:
        """Everything that it offers now."""
        ...

    async def read(self, uri: str) -> Sequence[Part]:
        """What a resource holds now. Missing where there is none, or none any more."""
        ...
