"""The tools that tools.yaml brings beside those that are files: what it declares of them, and putting it in force."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tools.engine.mcp import names
from tools.engine.openapi import apis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from kernel.clock import Clock, Ids
    from kernel.people import Directory
    from kernel.store import Store
    from kernel.types import Effect, Json, Place
    from knowledge.engine.resources import Resources
    from tools.engine.catalogue import Catalogue
    from tools.engine.mcp.reviews import Reviews
    from tools.engine.mcp.servers import McpServers
    from tools.engine.mcp.sign_ins import SignIns
    from tools.engine.setup.file import ToolsFile
    from tools.engine.tool import Tool


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A tool that a tools.yaml names, as the checks of the charter see it."""

    name: str
    effect: Effect
    arguments: Json  # JSON Schema
    authority: tuple[str, ...] = ()
    free_text: tuple[str, ...] = ()
    is_open: bool = False  # the schema is known once the server has been asked


@dataclass(kw_only=True)
class Declarations:
    """What a tools.yaml declares, and what is wrong with it."""

    tools: list[Declared] = field(default_factory=list)
    problems: list[tuple[tuple[str | int, ...], str, str, tuple[str, ...]]] = field(default_factory=list)

    def fault(self, at: tuple[str | int, ...], message: str, word: str = "", known: Iterable[str] = ()) -> None:
        """Something in the file that cannot be; `known` are the words that were possible instead of `word`."""
        self.problems.append((at, message, word, tuple(known)))


class Toolbox:
    """Keeps the catalogue in step with tools.yaml and with what was accepted of MCP servers."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.mcp: McpServers | None = None
        self._setup: ToolsFile | None = None
        self._apis: list[Tool] = []

    def connect(
        self,
        *,
        store: Store,
        clock: Clock,
        ids: Ids,
        directory: Directory,
        secrets: Mapping[str, str],
        where: Callable[[], Place | None],
        sign_ins: SignIns | None = None,
    ) -> Reviews:
        """Have a way to the servers of tools.yaml; who takes the answers to what is asked about them in `where`.

        Without it the file is only checked. Without `sign_ins` nobody can sign in to a server that asks for it.
        """
        from tools.engine.mcp.reviews import Reviews
        from tools.engine.mcp.servers import McpServers

        reviews = Reviews(store, clock, ids, directory, where, secrets=secrets, sign_ins=sign_ins)
        self.mcp = McpServers(store, clock, secrets, reviews, self._refresh)
        return reviews

    def start(self) -> None:
        """Ask the servers, now and then."""
        if self.mcp is not None:
            self.mcp.start()

    async def stop(self) -> None:
        """Hang up."""
        if self.mcp is not None:
            await self.mcp.stop()

    def resources(self, server: str) -> Resources | None:
        """What an MCP server offers to read; None where there is no such server."""
        return self.mcp.resources(server) if self.mcp is not None else None

    def notes(self) -> list[str]:
        """What else is to be known of the tools: what waits for a review, and servers that cannot be asked."""
        return self.mcp.notes() if self.mcp is not None else []

    def declared(self, setup: ToolsFile, folder: Path) -> Declarations:
        """What the file declares; `folder` is the charter's. Reads, connects to nothing."""
        found = Declarations()
        taken = dict.fromkeys(self.catalogue.own, "a tool of Bosun")
        self._declare_mcp(setup, found, taken)
        for api, operation, tool in apis.tools(setup.apis, folder, found.fault):
            _name(tool.name, ("apis", api, "operations", operation), f"{operation} of {api}", found, taken)
            found.tools.append(
                Declared(
                    name=tool.name,
                    effect=tool.effect,
                    arguments=tool.schema.arguments,
                    authority=tool.authority,
                    free_text=tool.free_text,
                )
            )
        return found

    def _declare_mcp(self, setup: ToolsFile, found: Declarations, taken: dict[str, str]) -> None:
        for server, one in setup.mcp.items():
            for name, tool, told in names.named(server, one):
                _name(name, ("mcp", server, "tools", tool), f"{tool} of {server}", found, taken)
                found.tools.append(
                    Declared(
                        name=name,
                        effect=told.counts_as,
                        arguments={"type": "object"},
                        authority=told.authority,
                        free_text=told.free_text,
                        is_open=True,
                    )
                )

    def use(self, setup: ToolsFile, folder: Path) -> None:
        """Put a checked file in force."""
        self._setup = setup
        self._apis = [tool for _, _, tool in apis.tools(setup.apis, folder, lambda *_: None)]
        if self.mcp is not None:
            self.mcp.configure(setup.mcp, folder)
        self._refresh()

    def _refresh(self) -> None:
        brought = list(self._apis)
        if self.mcp is not None:
            brought += self.mcp.tools()
        if self._setup is not None:
            self.catalogue.configure(self._setup, brought)


def _name(name: str, at: tuple[str, ...], what: str, found: Declarations, taken: dict[str, str]) -> None:
    """Give a name to a tool, where it can have it."""
    if len(name) > names.LONGEST:
        found.fault(at, f"the tool would be called {name}, which is longer than {names.LONGEST} characters")
    if name in taken:
        found.fault(at, f"the tool would be called {name}, as {taken[name]} is")
    taken[name] = what
