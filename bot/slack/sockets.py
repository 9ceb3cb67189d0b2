"""Socket Mode connections: several at once, so that Slack's refresh of one leaves no gap, and watched over."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_sdk.errors import SlackApiError

from bot.slack.web import words
from kernel.errors import ConfigError, PlatformError

if TYPE_CHECKING:
    from collections.abc import Callable

    from slack_bolt.async_app import AsyncApp
    from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient

WATCH_EVERY = 20.0  # seconds
CONNECT_WITHIN = 30.0  # seconds
PATIENCE = 3  # looks at a dead connection before it is replaced: the SDK mends most by itself, some never
REFUSED = frozenset({"account_inactive", "invalid_auth", "not_allowed_token_type", "not_authed", "token_revoked"})

log = logging.getLogger("bosun.slack")


class Sockets:
    """Keeps `count` connections open and calls `after_gap` whenever there was a time without any."""

    def __init__(self, app: AsyncApp, app_token: str, count: int, after_gap: Callable[[], None]) -> None:
        self.app = app
        self.app_token = app_token
        self.count = count
        self.after_gap = after_gap
        self._handlers: list[AsyncSocketModeHandler] = []
        self._watcher: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect; ConfigError where Slack does not take the token, PlatformError where it cannot be reached."""
        made = await asyncio.gather(*(self._connect() for _ in range(self.count)), return_exceptions=True)
        self._handlers = [handler for handler in made if isinstance(handler, AsyncSocketModeHandler)]
        for failure in made:
            if isinstance(failure, BaseException):
                await self.close()
                raise failure
        self._watcher = asyncio.create_task(self._watch(), name="slack-sockets")

    async def close(self) -> None:
        """Disconnect."""
        if self._watcher is not None:
            self._watcher.cancel()
        handlers, self._handlers = self._handlers, []
        await asyncio.gather(*(_close(handler) for handler in handlers))

    async def connected(self) -> int:
        """How many connections stand."""
        return sum([await handler.client.is_connected() for handler in self._handlers])

    async def _connect(self) -> AsyncSocketModeHandler:
        logger = self.app.logger
        handler = AsyncSocketModeHandler(self.app, self.app_token, logger=logger, web_client=self.app.client)
        handler.client.message_listeners.append(self._on_message)
        try:
            # Asked for here and not by connect(), which would try a wrong token again for ever.
            handler.client.wss_uri = await handler.client.issue_new_wss_url()
        except SlackApiError as error:
            await _close(handler)
            reason = error.response.get("error") if error.response else ""
            if reason in REFUSED:
                raise ConfigError(
                    f"Slack does not accept SLACK_APP_TOKEN ({reason}).",
                    hint="It begins with xapp- and needs the scope connections:write.",
                ) from error
            raise PlatformError(f"Slack gives no Socket Mode connection: {reason}.") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            await _close(handler)
            raise PlatformError(f"Slack cannot be reached: {words(error)}.") from error
        try:
            async with asyncio.timeout(CONNECT_WITHIN):  # it tries the same address again and again
                await handler.connect_async()  # type: ignore[no-untyped-call]
        except TimeoutError as error:
            await _close(handler)
            raise PlatformError("Slack takes no Socket Mode connection.") from error
        return handler

    async def _on_message(
        self, client: AsyncBaseSocketModeClient, message: dict[str, Any], raw: str | None = None
    ) -> None:
        if message.get("type") != "hello":
            return
        others = [handler.client for handler in self._handlers if handler.client is not client]
        if self._handlers and not any([await other.is_connected() for other in others]):
            self.after_gap()

    async def _watch(self) -> None:
        dead: dict[int, int] = {}
        while True:
            await asyncio.sleep(WATCH_EVERY)
            for index, handler in enumerate(list(self._handlers)):
                dead[index] = 0 if await handler.client.is_connected() else dead.get(index, 0) + 1
                if dead[index] < PATIENCE:
                    continue
                try:
                    self._handlers[index] = await self._connect()
                except (ConfigError, PlatformError) as error:
                    log.warning("The connection to Slack is down: %s", error)
                else:
                    dead[index] = 0
                    await _close(handler)


async def _close(handler: AsyncSocketModeHandler) -> None:
    try:
        await handler.close_async()  # type: ignore[no-untyped-call]
    except (aiohttp.ClientError, OSError) as error:
        log.debug("closing a socket: %s", error)
