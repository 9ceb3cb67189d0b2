"""Files to Discord and from it. Addresses of attachments expire, so they are fetched when they arrive."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp
import discord

from kernel.errors import ToolError

if TYPE_CHECKING:
    from kernel.types import FileRef

HOSTS = ("cdn.discordapp.com", "media.discordapp.net")
WITHIN = 30.0  # seconds


def upload_of(name: str, content: bytes, alt: str = "") -> discord.File:
    """A file to post."""
    return discord.File(io.BytesIO(content), filename=name, description=alt or None)


async def download(file: FileRef, limit: int, api_url: str) -> bytes:
    """The content of a file; ToolError where it is too large, is gone, or does not lie at Discord."""
    if file.size > limit:
        raise ToolError(f"{file.name} has {file.size:,} bytes; at most {limit:,} are read.")
    if urlsplit(file.url).netloc not in {*HOSTS, urlsplit(api_url).netloc}:
        raise ToolError(f"{file.name} does not lie at Discord, so it was not fetched.")
    timeout = aiohttp.ClientTimeout(total=WITHIN, connect=5)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(file.url) as response:
            if response.status != 200:
                raise ToolError(f"Discord answered with HTTP {response.status} when {file.name} was fetched.")
            if response.content_type == "text/html" and file.media_type != "text/html":
                raise ToolError(f"Discord sent a web page in place of {file.name}.")
            content = b""
            async for chunk in response.content.iter_chunked(65536):
                content += chunk
                if len(content) > limit:
                    raise ToolError(f"{file.name} is larger than the {limit:,} bytes that are read.")
            return content
    except (aiohttp.ClientError, TimeoutError) as error:
        words = str(error) or type(error).__name__
        raise ToolError(f"{file.name} could not be fetched from Discord: {words}") from error
