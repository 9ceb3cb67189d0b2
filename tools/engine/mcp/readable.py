"""Resources of an MCP server as the knowledge base takes them."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from mcp.types import TextResourceContents

from knowledge.engine.resources import Part, Resource

if TYPE_CHECKING:
    from mcp.types import ReadResourceResult
    from mcp.types import Resource as Listed


def resource_of(listed: Listed) -> Resource:
    """One line of the server's list."""
    return Resource(
        uri=listed.uri,
        title=listed.title or listed.name,
        media_type=listed.mime_type or "",
        version=(listed.annotations.last_modified if listed.annotations else None) or "",
    )


def parts_of(result: ReadResourceResult) -> list[Part]:
    """What the server gave. ValueError for a part that is not what it says."""
    found = []
    for one in result.contents:
        is_text = isinstance(one, TextResourceContents)
        content = one.text.encode() if isinstance(one, TextResourceContents) else _bytes(one.blob)
        found.append(Part(uri=one.uri, media_type=one.mime_type or "", content=content, is_text=is_text))
    return found


def _bytes(blob: str) -> bytes:
    try:
        return base64.b64decode(blob, validate=True)
    except binascii.Error as error:
        raise ValueError("a part is not base64") from error
