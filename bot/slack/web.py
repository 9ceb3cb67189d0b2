"""Calls of the Web API, and what their failures mean to the sender. Nothing here is ever sent twice by itself."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from kernel.errors import OutcomeUnknown, PlatformError, RateLimited, TargetGone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_sdk.web.async_slack_response import AsyncSlackResponse

    from bot.slack.settings import SlackSettings

Json = dict[str, Any]

GONE = frozenset(
    {
        "cant_update_message",
        "channel_not_found",
        "edit_window_closed",
        "is_archived",
        "message_not_found",
        "not_in_channel",
        "thread_not_found",
        "user_not_found",
        "user_not_in_channel",
    }
)
# Slack says of these that part of the operation may have succeeded.
UNSURE = frozenset({"fatal_error", "internal_error"})

log = logging.getLogger("bosun.slack")


class SlackError(PlatformError):
    """Slack refused a call. `reason` is Slack's own word for it."""

    def __init__(self, method: str, reason: str, *, needed: str = "") -> None:
        super().__init__(
            f"Slack answered {method} with {reason}" + (f" (needs the scope {needed})" if needed else "") + "."
        )
        self.reason = reason


class GoneError(TargetGone):
    """The channel or message is gone or closed to us. `reason` is Slack's own word for it."""

    def __init__(self, method: str, reason: str) -> None:
        super().__init__(f"Slack answered {method} with {reason}.")
        self.reason = reason


def reason_of(error: BaseException) -> str:
    """Slack's own word for a refusal, such as `already_reacted`; empty for other errors."""
    return getattr(error, "reason", "")


class SlackWeb:
    """One HTTP session for all calls of the workspace.

    `slack_sdk` re-sends calls on a dropped connection by default, posts included, so its retries are off; what may be
    repeated is repeated by whoever knows that it may be.
    """

    def __init__(self, settings: SlackSettings) -> None:
        quiet = logging.getLogger("bosun.slack.sdk")
        quiet.setLevel(logging.WARNING)  # below that the SDK logs texts of messages
        self.session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=20, connect=5),
            connector=aiohttp.TCPConnector(limit=100, keepalive_timeout=20),
            json_serialize=_dumps,
        )
        self.client = AsyncWebClient(
            token=settings.bot_token,
            base_url=settings.api_url,
            session=self.session,
            retry_handlers=[],
            logger=quiet,
        )

    @property
    def proxy(self) -> str | None:
        """The proxy of the environment, for requests that do not go through the SDK.

        aiohttp's own `trust_env` looks into files in a thread for every single request.
        """
        return self.client.proxy

    async def close(self) -> None:
        """Close all connections."""
        await self.session.close()

    async def write(self, method: str, **arguments: object) -> Json:
        """Call a method that does something. OutcomeUnknown where it may have been done although no answer came."""
        body = {name: value for name, value in arguments.items() if value is not None}
        return _data(await self._call(method, unsure=True, json=body))

    async def repeatable(self, method: str, **arguments: object) -> Json:
        """`write` for methods that do no harm when done twice: a lost answer is an ordinary PlatformError."""
        try:
            return await self.write(method, **arguments)
        except OutcomeUnknown as error:
            raise PlatformError(error.message) from error

    async def read(self, method: str, *, verb: str = "GET", **arguments: object) -> Json:
        """Call a method that changes nothing; tried once more when the connection broke."""
        return (await self.read_with_headers(method, verb=verb, **arguments))[0]

    async def read_with_headers(
        self, method: str, *, verb: str = "GET", **arguments: object
    ) -> tuple[Json, Mapping[str, str]]:
        """`read`, with the headers of the answer under lower-case names."""
        params = {name: value for name, value in arguments.items() if value is not None}
        try:
            response = await self._call(method, unsure=True, http_verb=verb, params=dict(params))
        except OutcomeUnknown:
            response = await self._call(method, unsure=False, http_verb=verb, params=params)
        return _data(response), {str(name).lower(): str(value) for name, value in response.headers.items()}

    async def _call(self, method: str, *, unsure: bool, **how: Any) -> AsyncSlackResponse:
        try:
            return await self.client.api_call(method, **how)
        except SlackApiError as error:
            raise _refusal(method, error, unsure=unsure) from error
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise PlatformError(f"Slack cannot be reached for {method}: {words(error)}") from error
        except (aiohttp.ClientError, TimeoutError, ConnectionError, SlackClientError) as error:
            kind = OutcomeUnknown if unsure else PlatformError
            raise kind(f"The connection broke during {method}: {words(error)}") from error


def _data(response: AsyncSlackResponse) -> Json:
    return response.data if isinstance(response.data, dict) else {}


def _refusal(method: str, error: SlackApiError, *, unsure: bool) -> PlatformError:
    response = error.response
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    data = getattr(response, "data", None)
    reason = str(data.get("error") or "") if isinstance(data, dict) else ""
    if status == 429 or reason in {"ratelimited", "rate_limited"}:
        return RateLimited(f"Slack asks to wait with {method}.", retry_after=_retry_after(response.headers))
    if reason in UNSURE or (not reason and (status == 200 or status >= 500)):
        kind = OutcomeUnknown if unsure else PlatformError
        return kind(f"Slack answered {method} with {reason or f'HTTP {status}'}.")
    if reason in GONE:
        return GoneError(method, reason)
    needed = str(data.get("needed") or "") if isinstance(data, dict) else ""
    return SlackError(method, reason or f"HTTP {status}", needed=needed)


def _retry_after(headers: Mapping[str, str]) -> float:
    for name, value in headers.items():
        if name.lower() == "retry-after":
            try:
                return max(0.0, float(value))
            except ValueError:
                break
    return 1.0


def words(error: BaseException) -> str:
    """What an error says, or what it is."""
    return str(error) or type(error).__name__


def _dumps(value: object) -> str:
    return orjson.dumps(value).decode()
