"""What an MCP server answered to a call, as text that a model can read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
from mcp.types import CallToolResult, EmbeddedResource, ResourceLink, TextContent, TextResourceContents

from kernel.errors import ToolError

if TYPE_CHECKING:
    from mcp.types import ContentBlock


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back. All of it is the server's."""

    text: str


def answer_of(result: CallToolResult) -> Answer:
    """The answer; ToolError, which quotes the server, if it says that it failed."""
    text = "\n\n".join(filter(None, (_text(block) for block in result.content)))
    if not text and result.structured_content is not None:
        text = orjson.dumps(result.structured_content, option=orjson.OPT_INDENT_2).decode()
    if result.is_error:
        raise ToolError(f"The tool failed: {text[:2000] or 'it does not say why'}")
    return Answer(text=text or "[The tool answered nothing.]")


def _text(block: ContentBlock) -> str:
    if isinstance(block, TextContent):
        return block.text
    if isinstance(block, EmbeddedResource):
        inner = block.resource
        return inner.text if isinstance(inner, TextResourceContents) else f"[File: {inner.uri}, not text]"
    if isinstance(block, ResourceLink):
        return f"[Resource: {block.name}, {block.uri}]"
    return f"[{block.type.capitalize()}: {len(block.data):,} characters, not shown]"
