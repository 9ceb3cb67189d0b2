"""The MCP servers of tools.yaml: asked now and then what they offer, called for what was accepted."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from kernel.errors import BosunError
from kernel.store import mcp as rows
from tools.engine.failure import CannotDo, SignInNeeded
from tools.engine.given_schema import SchemaUnusable
from tools.engine.mcp.made import made
from tools.engine.mcp.reviews import TOPIC
from tools.engine.mcp.server_resources import ServerResources
from tools.engine.mcp.sign_ins import SIGNED_IN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import httpx2

    from kernel.clock import Clock
    from kernel.store import Session, Store
    from kernel.types import Json
    from knowledge.engine.resources import Resources
    from tools.engine.mcp.answer import Answer
    from tools.engine.mcp.link import Link
    from tools.engine.mcp.offer import Offer
    from tools.engine.mcp.reviews import Reviews
    from tools.engine.setup.servers import McpSetup
    from tools.engine.tool import Tool

ASK_EVERY = 300.0  # seconds between two looks at what the servers offer
READ_EVERY = 5.0  # seconds between two looks at what was accepted: in another process, perhaps

log = logging.getLogger(__name__)


class McpServers:
    """Keeps a connection to each server while there is one to be had."""

    def __init__(
        self, store: Store, clock: Clock, secrets: Mapping[str, str], reviews: Reviews, changed: Callable[[], None]
    ) -> None:
        """`changed` is called when other tools are accepted than before."""
        self.store = store
        self.clock = clock
        self.secrets = secrets
        self.reviews = reviews
        self.changed = changed
        self.patience = 20.0  # seconds until a server is connected, and for a listing
        self.faults: dict[str, str] = {}  # server -> why it cannot be asked, in a sentence
        self._setup: dict[str, McpSetup] = {}
        self._folder: Path | None = None
        self._links: dict[str, Link] = {}
        self._opening: dict[str, asyncio.Lock] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._accepted: frozenset[tuple[str, str, str]] = frozenset()
        self._wanted = True  # the servers are to be asked now
        self._go_on = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        store.on(TOPIC, lambda _server: self._go_on.set())
        store.on(SIGNED_IN, lambda _server: self.ask_again())

    # -- set-up -----------------------------------------------------------------------------------

    def configure(self, setup: Mapping[str, McpSetup], folder: Path) -> None:
        """Take the servers of a tools.yaml, which lies in `folder`: programs run there."""
        for name, link in list(self._links.items()):
            if setup.get(name) != link.setup:
                self._leave(self._links.pop(name))
        self._setup, self._folder = dict(setup), folder
        self.faults = {name: fault for name, fault in self.faults.items() if name in setup}
        self.reviews.configure(setup)
        self.ask_again()

    def tools(self) -> list[Tool]:
        """The tools that tools.yaml names and somebody has accepted as they are now."""
        ready = self._ready(self.store.read_now(rows.everything)) if self._setup else []
        self._accepted = _marks(ready)
        found = []
        for row in ready:
            try:
                found.append(made(row, self._setup[row.server], self))
            except SchemaUnusable as error:  # accepted by a version that took more
                log.warning("%s of the MCP server %s cannot be used: %s", row.tool, row.server, error)
        return found

    def notes(self) -> list[str]:
        """Servers that cannot be asked, and tools that nobody has accepted as they are now."""
        if not self._setup:
            return []
        ready = {(server, tool) for server, tool, _ in _marks(self._ready(self.store.read_now(rows.everything)))}
        held = {
            server: [tool for tool in sorted(setup.tools) if (server, tool) not in ready]
            for server, setup in self._setup.items()
        }
        waits = [
            f"Held until {self._setup[server].decides} has accepted them: {', '.join(tools)} of {server}."
            for server, tools in held.items()
            if tools
        ]
        return [*waits, *(self.faults[server] for server in sorted(self.faults))]

    def _ready(self, known: list[rows.McpTool]) -> list[rows.McpTool]:
        return [
            row
            for row in known
            if row.server in self._setup
            and row.tool in self._setup[row.server].tools
            and row.accepted
            and row.accepted == row.digest
        ]

    def ask_again(self) -> None:
        """Have the servers asked now."""
        self._wanted = True
        self._go_on.set()

    # -- life cycle -------------------------------------------------------------------------------

    def start(self) -> None:
        """Ask the servers now and then, until `stop`."""
        self._task = asyncio.create_task(self._keep_asking(), name="mcp-servers")

    async def stop(self) -> None:
        """Hang up everywhere."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for link in self._links.values():
            self._leave(link)
        self._links = {}
        await asyncio.gather(*self._leaving, return_exceptions=True)
        if self.reviews.sign_ins is not None:
            await self.reviews.sign_ins.stop()

    async def _keep_asking(self) -> None:
        asked = -ASK_EVERY
        while True:
            now = asyncio.get_running_loop().time()
            try:
                if self._wanted or now - asked >= ASK_EVERY:
                    self._wanted, asked = False, now
                    await self.look()
                self._go_on.clear()
                await self.read()
            except BosunError as error:
                log.warning("MCP servers: %s", error)
            except Exception:
                log.exception("the MCP servers could not be looked at")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(READ_EVERY):
                    await self._go_on.wait()

    async def look(self) -> None:
        """Ask every server what it offers, keep it, and tell people of what they have to review."""
        await asyncio.gather(*(self._look(name) for name in self._setup))

    async def _look(self, name: str) -> None:
        try:
            link = await self.link(name)
            found = await link.offers()
        except CannotDo as error:
            self.faults[name] = error.message
            log.info("%s", error.message)
            if isinstance(error, SignInNeeded):
                await self.store.write(lambda session: self.reviews.ask_to_sign_in(session, name))
            return
        self.faults.pop(name, None)
        await self._keep(name, found)

    async def read(self) -> None:
        """See whether other tools are accepted than are offered."""
        if not self._setup:
            return
        if _marks(self._ready(await self.store.read(rows.everything))) != self._accepted:
            self.changed()

    async def _keep(self, server: str, found: Mapping[str, Offer]) -> None:
        """Store what is offered of the tools that tools.yaml names."""
        named = [offer for tool, offer in found.items() if tool in self._setup[server].tools]
        missing = sorted(self._setup[server].tools.keys() - found.keys())
        unusable = [f"{offer.name} cannot be used: {offer.problem}." for offer in named if offer.problem]
        unusable += [f"It offers no tool {tool}." for tool in missing]
        if unusable:
            self.faults[server] = " ".join(unusable)

        def write(session: Session) -> None:
            now = self.clock.now()
            for offer in named:
                row = rows.get(session, server, offer.name)
                if row is None or row.digest != offer.digest:
                    before = row or rows.McpTool(
                        server=server, tool=offer.name, description="", arguments={}, digest="", seen_at=now
                    )
                    before.description, before.arguments = offer.description, offer.arguments
                    before.digest, before.seen_at = offer.digest, now
                    rows.save(session, before)
            self.reviews.tell(session, server)

        await self.store.write(write)

    # -- calling ----------------------------------------------------------------------------------

    async def call(self, server: str, tool: str, arguments: dict[str, Json], accepted: str) -> Answer:
        """Have a server do it; CannotDo where what it says of the tool is not what was `accepted`."""
        try:
            return await self._call(server, tool, arguments, accepted)
        except SignInNeeded:
            await self.store.write(lambda session: self.reviews.ask_to_sign_in(session, server))
            raise

    async def _call(self, server: str, tool: str, arguments: dict[str, Json], accepted: str) -> Answer:
        link = await self.link(server)
        found = await link.offers()
        offer = found.get(tool)
        if offer is None:
            raise CannotDo(f"The MCP server {server} no longer offers {tool}.")
        if offer.digest != accepted:
            await self._keep(server, found)
            self._go_on.set()
            raise CannotDo(
                f"What {server} says of {tool} has changed since it was reviewed, so it is held until "
                f"{self._setup[server].decides} has looked at it. Nothing was done."
            )
        return await link.call(tool, arguments)

    def resources(self, server: str) -> Resources | None:
        """What a server offers to read; None where tools.yaml names no such server."""
        return ServerResources(server, self.link) if server in self._setup else None

    async def link(self, name: str) -> Link:
        """The connection to a server, opened where there is none. CannotDo if it cannot be had."""
        from tools.engine.mcp.link import Link  # its library takes long to import

        async with self._opening.setdefault(name, asyncio.Lock()):
            setup, link = self._setup.get(name), self._links.get(name)
            if setup is None or self._folder is None:
                raise CannotDo(f"The MCP server {name} is no longer set up.")
            if link is not None and not link.broken:
                return link
            if link is not None:
                self._leave(self._links.pop(name))
            if missing := sorted(set(setup.secrets()) - set(self.secrets)):
                raise CannotDo(f"The MCP server {name} needs {', '.join(missing)}, which is not set here.")
            auth = self._auth(name, setup) if setup.oauth else None
            fresh = Link(name, setup, self.secrets, self._folder, self.patience, auth=auth)
            try:
                await fresh.open()
            except BaseException:
                self._leave(fresh)
                raise
            self._links[name] = fresh
            return fresh

    def _auth(self, name: str, setup: McpSetup) -> Callable[[Callable[[], None]], httpx2.Auth]:
        sign_ins = self.reviews.sign_ins
        if sign_ins is None:
            raise CannotDo(f"Nobody can sign in to the MCP server {name} here.")
        return lambda unsigned: sign_ins.auth(name, setup, self.secrets, unsigned)

    def _leave(self, link: Link) -> None:
        task = asyncio.get_running_loop().create_task(link.close())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)


def _marks(ready: list[rows.McpTool]) -> frozenset[tuple[str, str, str]]:
    return frozenset((row.server, row.tool, row.accepted) for row in ready)
