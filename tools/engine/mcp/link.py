"""A connection to an MCP server. The `mcp` package is used here alone.

Nothing that a server does reaches further than its own connection: it is asked with a limit of time, read up to a
limit of size, and dropped when it breaks. It is offered nothing in return: no model to ask, no folder, no question to
people.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import (
    CONNECTION_CLOSED,
    INTERNAL_ERROR,
    REQUEST_TIMEOUT,
    Implementation,
)

from kernel.errors import ToolError
from tools.engine.failure import CannotDo, NotLetIn, SignInNeeded
from tools.engine.mcp import leash, transport
from tools.engine.mcp.answer import Answer, answer_of
from tools.engine.mcp.offer import Offer, offer
from tools.engine.mcp.readable import parts_of, resource_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    import httpx2

    from kernel.types import Json
    from knowledge.engine.resources import Part, Resource
    from tools.engine.setup.servers import McpSetup

log = logging.getLogger(__name__)

LARGEST = 4_000_000  # bytes of one message
WINDOW = 64_000_000  # bytes that a program may write within ten seconds
FAREWELL = 10.0  # seconds until a closed connection is given up; a program is killed after six
MOST_PAGES = 100  # of a listing
MOST_TOOLS = 500
MOST_RESOURCES = 20_000

LOST = frozenset({CONNECTION_CLOSED, INTERNAL_ERROR, REQUEST_TIMEOUT})  # errors that say nothing of what was done

logging.getLogger("mcp").setLevel(logging.CRITICAL)  # it logs what servers send


class LostError(Exception):
    """The call was handed over, and nobody knows what became of it. The message is in our own words."""


class Link:
    """One open connection. `open` it once; after a fault it is `broken`, and another one is made."""

    def __init__(
        self,
        name: str,
        setup: McpSetup,
        secrets: Mapping[str, str],
        folder: Path,
        patience: float,
        *,
        auth: Callable[[Callable[[], None]], httpx2.Auth] | None = None,
    ) -> None:
        """`folder` is where a program runs; `patience` the seconds until the server is connected, or has listed.

        `auth` makes what signs the requests, which calls back where a person has to sign in first.
        """
        self.patience = patience
        self.name = name
        self.setup = setup
        self.broken = False
        self.refused = False  # the server did not let us in
        self.unsigned = False  # it will once a person has signed in
        self._auth = auth
        self._secrets = secrets
        self._folder = folder
        self._client: Client | None = None
        self._closing = asyncio.Event()
        self._holder: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect. CannotDo if the server is not ready in time."""
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._holder = asyncio.create_task(self._hold(ready), name=f"mcp-{self.name}")
        try:
            async with asyncio.timeout(self.patience):
                await asyncio.shield(ready)
        except TimeoutError as error:
            self.broken = True
            self._holder.cancel()
            raise CannotDo(f"The MCP server {self.name} did not answer in time.") from error
        except asyncio.CancelledError:
            self.broken = True
            self._holder.cancel()
            raise
        except Exception as error:
            self.broken = True
            raise self._fault(f"cannot be reached ({_kind(error)})") from error

    async def close(self) -> None:
        """Hang up; a program is ended."""
        self.broken = True
        self._closing.set()
        if self._holder is not None:
            _, left = await asyncio.wait([self._holder], timeout=FAREWELL)
            for task in left:
                task.cancel()

    async def _hold(self, ready: asyncio.Future[None]) -> None:
        """Enter and leave the connection in one task, as its library wants it."""
        try:
            async with self._connection() as client:
                self._client = client
                if not ready.done():
                    ready.set_result(None)
                await self._closing.wait()
        except Exception as error:
            log.info("the connection to the MCP server %s ended: %s", self.name, _kind(error))
            if not ready.done():
                ready.set_exception(error)
                ready.exception()  # whoever waits gets it; nobody has to
        finally:
            self.broken = True
            self._client = None

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[Client]:
        about = Implementation(name="bosun", version="0.1.0")
        async with contextlib.AsyncExitStack() as stack:
            if self.setup.command:
                over = stdio_client(self._program())
            else:
                headers = {name: self._secrets[secret] for name, secret in self.setup.headers.items()}
                auth = self._auth(self._want_a_person) if self._auth else None
                http = transport.client(
                    headers, self.setup.timeout, LARGEST, self._refuse, home=self.setup.url, auth=auth
                )
                await stack.enter_async_context(http)
                over = streamable_http_client(self.setup.url, http_client=http, max_sse_event_size=LARGEST)
            client = Client(over, client_info=about, cache=None)
            yield await stack.enter_async_context(client)

    def _program(self) -> StdioServerParameters:
        return StdioServerParameters(
            command=sys.executable,
            args=["-I", str(Path(leash.__file__)), str(LARGEST), str(WINDOW), *self.setup.command],
            env={name: self._secrets[secret] for name, secret in self.setup.environment.items()},
            cwd=self._folder,
        )

    def _refuse(self) -> None:
        self.refused = True

    def _want_a_person(self) -> None:
        self.unsigned = True

    def _fault(self, said: str) -> CannotDo:
        if self.unsigned:
            return SignInNeeded(f"Somebody has to sign in to the MCP server {self.name} first. Nothing was done.")
        if self.refused:
            return NotLetIn(f"The MCP server {self.name} does not let us in.")
        return CannotDo(f"The MCP server {self.name} {said}.")

    # -- asking -----------------------------------------------------------------------------------

    async def offers(self) -> dict[str, Offer]:
        """What the server says of its tools now, by name."""
        async with self._asking():
            return await self._list()

    @contextlib.asynccontextmanager
    async def _asking(self) -> AsyncIterator[None]:
        """Something that can be asked again: CannotDo where it fails, and the connection is broken."""
        self.refused = False
        try:
            async with asyncio.timeout(self.patience):
                yield
        except CannotDo:
            raise
        except TimeoutError as error:
            self.broken = True
            raise self._fault("did not answer in time") from error
        except Exception as error:
            self.broken = True
            raise self._fault(f"gave no proper answer ({_kind(error)})") from error

    async def _list(self) -> dict[str, Offer]:
        found: dict[str, Offer] = {}
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            page = await self._open_client().list_tools(cursor=cursor)
            for tool in page.tools:
                found.setdefault(tool.name, offer(tool.name, tool.description or "", tool.input_schema))
            cursor = page.next_cursor
            if len(found) > MOST_TOOLS:
                break
            if not cursor:
                return found
        raise CannotDo(f"The MCP server {self.name} lists more than {MOST_TOOLS} tools.")

    async def resources(self) -> list[Resource]:
        """What the server offers to read."""
        found: dict[str, Resource] = {}
        cursor: str | None = None
        async with self._asking():
            for _ in range(MOST_PAGES):
                try:
                    page = await self._open_client().list_resources(cursor=cursor)
                except MCPError as error:
                    if error.code in LOST:
                        raise
                    raise CannotDo(f"The MCP server {self.name} offers no resources.") from error
                found.update((one.uri, resource_of(one)) for one in page.resources)
                cursor = page.next_cursor
                if not cursor or len(found) > MOST_RESOURCES:
                    break
        if cursor or len(found) > MOST_RESOURCES:
            raise CannotDo(f"The MCP server {self.name} lists more than {MOST_RESOURCES:,} resources.")
        return list(found.values())

    async def read(self, uri: str) -> list[Part] | None:
        """What a resource holds; None where the server does not give it."""
        async with self._asking():
            try:
                return parts_of(await self._open_client().read_resource(uri))
            except MCPError as error:
                if error.code in LOST:
                    raise
                return None

    async def call(self, tool: str, arguments: dict[str, Json]) -> Answer:
        """Have the server do it.

        ToolError: it says that it did not. LostError: it may have, and the connection is broken.
        """
        client = self._open_client()
        try:
            async with asyncio.timeout(self.setup.timeout):
                return answer_of(await client.call_tool(tool, arguments))
        except ToolError:
            raise
        except asyncio.CancelledError:
            self.broken = True
            raise
        except TimeoutError:
            self.broken = True
            raise LostError(f"The MCP server {self.name} took longer than {self.setup.timeout:g} seconds.") from None
        except MCPError as error:
            if self.unsigned:  # it was sent back before anything was done
                self.broken = True
                raise self._fault("") from None
            if error.code not in LOST:
                raise ToolError(f"The MCP server {self.name} refuses: {error.message[:500]}") from None
            self.broken = True
            raise LostError(f"The MCP server {self.name} went away during the call.") from None
        except Exception as error:  # whatever comes out of a broken stream
            self.broken = True
            if self.unsigned:
                raise self._fault("") from None
            raise LostError(f"The MCP server {self.name} gave no proper answer ({_kind(error)}).") from None

    def _open_client(self) -> Client:
        if self._client is None or self.broken:
            raise CannotDo(f"The MCP server {self.name} has gone away.")
        return self._client


def _kind(error: BaseException) -> str:
    """The kind of fault, without its words: they may be a server's."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return type(error).__name__
