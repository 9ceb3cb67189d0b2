"""Files to Slack and from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp

from bot.slack.web import GoneError, SlackError, words
from kernel.errors import PlatformError, ToolError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.engine.document.files import Attachment
    from bot.slack.web import SlackWeb
    from kernel.types import FileRef

REMEMBERED = 500


class Files:
    """Uploads, attachments of messages, downloads."""

    def __init__(self, web: SlackWeb, api_url: str) -> None:
        self.web = web
        self._own_host = urlsplit(api_url).netloc
        self._attached: dict[tuple[str, str, str], None] = {}

    async def upload(
        self,
        channel: str,
        thread: str | None,
        name: str,
        content: bytes,
        *,
        title: str = "",
        alt: str = "",
        comment: str = "",
    ) -> str:
        """Share a file in a thread and return its id. OutcomeUnknown where it may have been shared."""
        ticket = await self.web.read(
            "files.getUploadURLExternal", verb="POST", filename=name, length=len(content), alt_txt=alt or None
        )
        try:
            async with self.web.session.post(ticket["upload_url"], data=content, proxy=self.web.proxy) as response:
                if response.status != 200:
                    raise PlatformError(f"Slack answered the upload of {name} with HTTP {response.status}.")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise PlatformError(f"The upload of {name} broke off: {error}") from error
        await self.web.write(
            "files.completeUploadExternal",
            files=[{"id": ticket["file_id"], "title": title or name}],
            channel_id=channel,
            thread_ts=thread,
            initial_comment=comment or None,
        )
        return str(ticket["file_id"])

    async def attach(self, channel: str, thread: str, attachments: Iterable[Attachment], *, look: bool) -> None:
        """Share what does not stand in the thread yet. `look`: the thread is asked, because an earlier try may have."""
        missing = [item for item in attachments if (channel, thread, item.name) not in self._attached]
        if not missing:
            return
        there = await self.names(channel, thread) if look else frozenset()
        for item in missing:
            if item.name not in there:
                await self.upload(channel, thread, item.name, item.content.encode("utf-8", "replace"), title=item.title)
            self._attached[channel, thread, item.name] = None
            if len(self._attached) > REMEMBERED:
                del self._attached[next(iter(self._attached))]

    async def names(self, channel: str, thread: str) -> frozenset[str]:
        """Names of the files in a thread."""
        found = await self.web.read("conversations.replies", channel=channel, ts=thread, limit=1000)
        return frozenset(
            str(file.get("name")) for message in found.get("messages") or () for file in message.get("files") or ()
        )

    async def download(self, file: FileRef, limit: int) -> bytes:
        """The content of a file; ToolError where it is too large, is gone, or is not the file."""
        if file.size > limit:
            raise ToolError(f"{file.name} has {file.size:,} bytes; at most {limit:,} are read.")
        url, media_type = file.url, file.media_type
        if not url:
            url, media_type = await self._look_up(file)
        host = urlsplit(url).netloc
        if host not in {self._own_host, "slack.com"} and not host.endswith(".slack.com"):
            raise ToolError(f"{file.name} does not lie at Slack, so it was not fetched.")
        try:
            return await self._fetch(file.name, url, media_type, limit)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ToolError(f"{file.name} could not be fetched from Slack: {words(error)}") from error

    async def _look_up(self, file: FileRef) -> tuple[str, str]:
        """A file of a shared channel comes without its address."""
        try:
            found: dict[str, Any] = (await self.web.read("files.info", file=file.id)).get("file") or {}
        except (SlackError, GoneError) as error:
            raise ToolError(f"Slack does not give out {file.name}: {error.reason}.") from error
        return str(found.get("url_private_download") or found.get("url_private") or ""), str(
            found.get("mimetype") or ""
        )

    async def _fetch(self, name: str, url: str, media_type: str, limit: int) -> bytes:
        token = {"Authorization": f"Bearer {self.web.client.token}"}
        async with self.web.session.get(url, headers=token, proxy=self.web.proxy) as response:
            if response.status != 200:
                raise ToolError(f"Slack answered with HTTP {response.status} when {name} was fetched.")
            if response.content_type == "text/html" and media_type != "text/html":
                raise ToolError(
                    f"Slack sent its login page instead of {name}.", hint="The app lacks the scope files:read."
                )
            content = b""
            async for chunk in response.content.iter_chunked(65536):
                content += chunk
                if len(content) > limit:
                    raise ToolError(f"{name} is larger than the {limit:,} bytes that are read.")
            return content
