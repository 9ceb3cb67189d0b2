"""How the tools of an MCP server are called among ours, and what a tools.yaml may say of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.engine.setup.servers import McpSetup, OutsideTool

LONGEST = 64  # characters: what the API of the language model takes


def name_of(server: str, tool: str) -> str:
    """`github` and `create-issue` give `github_create_issue`."""
    return f"{server}_{re.sub(r'[^a-z0-9]+', '_', tool.lower()).strip('_')}"


def named(server: str, setup: McpSetup) -> Iterator[tuple[str, str, OutsideTool]]:
    """Our name, the server's name and the declaration of every tool that tools.yaml names."""
    for tool, said in setup.tools.items():
        yield name_of(server, tool), tool, said
