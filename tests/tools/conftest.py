"""What the tests of the tools room stand on: a real database, a real folder, and a door that always opens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kernel.clock import CountedIds, FixedClock
from kernel.store.database import open_store
from tests.tools.team import Notes, Team, facts
from tools.engine.context import ToolContext
from tools.engine.permit import digest_of, issue
from tools.engine.web.settings import WebSettings

if TYPE_CHECKING:
    from kernel.types import ToolResult
    from tools.engine import Tool

Perform = Callable[..., Awaitable["ToolResult"]]


@pytest.fixture
async def ctx(tmp_path: Path, sqlite_with_tables: str) -> AsyncIterator[ToolContext]:
    """The surroundings of a call by Mia in #general, on a fresh SQLite file and an empty workspace."""
    store = open_store(sqlite_with_tables)
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    yield ToolContext(
        call_id="01CALL0000000000000000000A",
        facts=facts(),
        store=store,
        clock=FixedClock(),
        ids=CountedIds(),
        workspace=workspace,
        knowledge=Notes(),
        directory=Team(),
        http=WebSettings(),
    )
    store.close()


@pytest.fixture
def perform(ctx: ToolContext) -> Perform:
    """Do what the door does once a call is allowed: issue a permit for exactly these arguments and use it."""

    async def run(tool: Tool, context: ToolContext | None = None, *, call_id: str = "", **arguments: Any) -> ToolResult:
        surroundings = context or ctx
        if call_id:
            surroundings = replace(surroundings, call_id=call_id)
        permit = issue(call_id=surroundings.call_id, tool=tool.name, digest=digest_of(tool.name, arguments))
        return await tool.perform(permit, arguments, surroundings)

    return run
