"""Source: the resources of an MCP server that tools.yaml names."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from knowledge.engine.documents import Document, Origin
from knowledge.engine.media_types import suffix_for
from knowledge.engine.readable import check_length, check_size
from knowledge.engine.reading import modules
from knowledge.engine.source import Item, SourceAway
from knowledge.engine.source_settings import SourceSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from knowledge.engine.readable import Parsed
    from knowledge.engine.resources import Part, Resource, Resources
    from knowledge.engine.source_settings import Surroundings


class Settings(SourceSettings):
    """Resources of an MCP server."""

    kind: Literal["mcp"]
    server: str  # its name in tools.yaml
    below: str = ""  # only resources whose URI begins like this
    resources: tuple[str, ...] = ()  # URIs that are read beside those that the server lists
    origin: Origin = "outside_text"  # member_text: members of the team alone write there
    most: int = Field(default=500, ge=1, le=20_000)  # resources


class Mcp:
    """The resources, each a document. One that the server no longer lists is forgotten."""

    kind = "mcp"
    complete = True

    def __init__(self, settings: Settings, around: Surroundings) -> None:
        self.name = f"mcp:{settings.name}"
        self.title = settings.server
        self.readers = around.readers(settings)
        self._settings = settings
        self._around = around

    async def items(self) -> AsyncIterator[Item]:
        server = self._server()
        offered = {one.uri: one for one in await server.offered() if one.uri.startswith(self._settings.below)}
        named = {uri: offered.get(uri) for uri in self._settings.resources}
        for uri, resource in list((named | offered).items())[: self._settings.most]:
            version = resource.version if resource is not None else ""
            yield Item(key=uri, version=version, load=partial(self._load, uri, resource))

    def _server(self) -> Resources:
        server = self._around.server(self._settings.server)
        if server is None:
            raise SourceAway(f"The MCP server {self._settings.server} is not set up here.")
        return server

    async def _load(self, uri: str, resource: Resource | None) -> Document:
        parsed = [await self._parsed(part) for part in await self._server().read(uri)]
        text = "\n\n".join(one.text for one in parsed)
        title = (resource.title if resource is not None else "") or next((one.title for one in parsed if one.title), "")
        return Document(
            source=self.name,
            key=uri,
            kind="record",
            title=" ".join(title.split())[:200] or uri,
            text=check_length(text),
            format=parsed[0].format if len(parsed) == 1 else "markdown",
            readers=self.readers,
            origin="outside_text" if any(one.by_model for one in parsed) else self._settings.origin,
            url=uri if uri.startswith(("http://", "https://")) else "",
        )

    async def _parsed(self, part: Part) -> Parsed:
        check_size(len(part.content))
        suffix = suffix_for(part.media_type, part.uri)
        if part.is_text and suffix not in modules():
            suffix = ".txt"
        return await self._around.files.read(f"resource{suffix}", part.content)


def open_source(settings: Settings, around: Surroundings) -> Mcp:
    """The resources that the charter names."""
    return Mcp(settings, around)
