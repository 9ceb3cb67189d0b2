"""The resources of one MCP server, as the source that reads them asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from knowledge.engine.source import Missing, SourceAway, SourceCutOff
from tools.engine.failure import CannotDo, NotLetIn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from knowledge.engine.resources import Part, Resource
    from tools.engine.mcp.link import Link

Answered = TypeVar("Answered")


class ServerResources:
    """Asks over the connection that the tools of the server use as well."""

    def __init__(self, server: str, link: Callable[[str], Awaitable[Link]]) -> None:
        self._server = server
        self._link = link

    async def offered(self) -> list[Resource]:
        """Everything that it offers now."""
        return await self._ask(lambda link: link.resources())

    async def read(self, uri: str) -> list[Part]:
        """What a resource holds now."""
        found = await self._ask(lambda link: link.read(uri))
        if not found:
            raise Missing(f"The MCP server {self._server} does not give {uri[:300]}.")
        return found

    async def _ask(self, question: Callable[[Link], Awaitable[Answered]]) -> Answered:
        try:
            return await question(await self._link(self._server))
        except NotLetIn as error:
            raise SourceCutOff(error.message) from error
        except CannotDo as error:
            raise SourceAway(error.message) from error
