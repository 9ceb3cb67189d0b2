"""The connection to the gateway: held by one process at a time, with the message content intent where it is allowed."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import aiohttp
import discord

from bot.discord.connection import Connection
from kernel.errors import BosunError, ConfigError, PlatformError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.discord.connection import Ear
    from bot.discord.settings import DiscordSettings

CONNECT_WITHIN = 30.0  # seconds
PATIENCE = 2.0  # seconds for the events in hand when the connection is closed
TRY_AGAIN = 15.0  # seconds after the library has given up

log = logging.getLogger("bosun.discord")


class Gateway:
    """Logs in; connects and disconnects on demand. `content` says whether what people write can be read."""

    def __init__(
        self,
        settings: DiscordSettings,
        ear: Ear,
        *,
        prepare: Callable[[Connection], Awaitable[None]],
        degraded: Callable[[], Awaitable[None]],
    ) -> None:
        self.settings = settings
        self.ear = ear
        self.prepare = prepare  # called with each new client, after its login
        self.degraded = degraded  # called when it is found that the content intent is missing
        self.content = True
        self._client: Connection | None = None
        self._running: asyncio.Task[None] | None = None

    @property
    def client(self) -> Connection:
        """The client that is logged in. PlatformError where none is."""
        if self._client is None:
            raise PlatformError("Discord has not been reached since the start.")
        return self._client

    async def login(self) -> None:
        """Make the REST API usable. ConfigError where Discord does not take the token."""
        client = Connection(self.settings, self.ear, content=self.content)
        try:
            await client.login(self.settings.token)
            await self.prepare(client)
        except BosunError:
            await client.close()
            raise
        except discord.LoginFailure as error:
            await client.close()
            raise ConfigError(
                "Discord does not accept DISCORD_BOT_TOKEN.",
                hint="Reset it on the Bot page of the application and copy it again.",
            ) from error
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            await client.close()
            raise PlatformError(f"Discord cannot be reached: {error}") from error
        self._client = client

    async def connect(self) -> None:
        """Open the connection; returns once the first events can come, or after a while without."""
        if self._running is not None:
            return
        ready = asyncio.Event()
        self._running = asyncio.create_task(self._run(ready), name="discord-gateway")
        try:
            async with asyncio.timeout(CONNECT_WITHIN):
                await ready.wait()
        except TimeoutError:
            log.warning("Discord takes no connection yet; it is tried again and again.")

    async def disconnect(self) -> None:
        """Close the connection; the REST API stays usable."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.wait([running])
            await self._hang_up(self.client)
            await self.client.dealt_with(PATIENCE)

    async def close(self) -> None:
        """Close everything."""
        await self.disconnect()
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _run(self, ready: asyncio.Event) -> None:
        while True:
            announce = asyncio.create_task(self._announce(self.client, ready))
            try:
                await self.client.connect()
            except discord.PrivilegedIntentsRequired:
                await self._without_content()
                continue
            except discord.ConnectionClosed as error:
                log.warning("Discord closed the connection for good (%s); docs/discord.md says why it may.", error)
            except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
                log.warning("The connection to Discord broke: %s", error)
            finally:
                announce.cancel()
            await asyncio.sleep(TRY_AGAIN)
            if self.client.is_closed():
                await self._log_in_again()

    async def _announce(self, client: Connection, ready: asyncio.Event) -> None:
        await client.wait_until_ready()
        ready.set()

    async def _without_content(self) -> None:
        """Close code 4014: the operator has not switched the intent on. Go on with what comes without it."""
        log.warning("Discord does not give out what people write: the message content intent is off.")
        self.content = False
        await self._log_in_again()
        await self.degraded()

    async def _log_in_again(self) -> None:
        before = self.client
        while True:
            try:
                await self.login()
            except (ConfigError, PlatformError) as error:
                log.warning("%s", error)
                await asyncio.sleep(TRY_AGAIN)
            else:
                break
        await before.close()

    @staticmethod
    async def _hang_up(client: Connection) -> None:
        socket = client.ws  # the type promises one, but before the first connection there is none
        if socket is not None and socket.open:  # type: ignore[redundant-expr]
            await socket.close(code=1000)
