"""A tool of an MCP server as a tool of ours: what was accepted of it, and what tools.yaml says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kernel.errors import OutcomeUnknown
from kernel.types import Fact
from tools.engine.failure import CannotDo
from tools.engine.given_schema import GivenArguments, arguments_of
from tools.engine.mcp.names import name_of
from tools.engine.preview import generic, one_line
from tools.engine.results import said
from tools.engine.tool import ONLY_READS, REVERSIBLE, Tool

if TYPE_CHECKING:
    from kernel.store.mcp import McpTool
    from kernel.types import Json, ToolResult
    from tools.engine.context import ToolContext
    from tools.engine.mcp.answer import Answer
    from tools.engine.preview import Preview
    from tools.engine.setup.servers import McpSetup, OutsideTool

AROUND = 45.0  # seconds for connecting and listing beside the call itself


class Caller(Protocol):
    """What such a tool needs of the connections."""

    async def call(self, server: str, tool: str, arguments: dict[str, Json], accepted: str) -> Answer:
        """Have a server do it; CannotDo where what it says of the tool is not what was `accepted`."""
        ...


def made(row: McpTool, setup: McpSetup, caller: Caller) -> Tool:
    """The tool, as it was accepted."""
    told = setup.tools[row.tool]
    model = arguments_of(name_of(row.server, row.tool), row.accepted_arguments)
    names = tuple(row.accepted_arguments.get("properties", {}))

    async def body(args: GivenArguments, _ctx: ToolContext) -> ToolResult:
        from tools.engine.mcp.link import LostError  # its library takes long to import

        arguments = args.model_dump(mode="json")
        try:
            answer = await caller.call(row.server, row.tool, arguments, row.accepted)
        except LostError as error:
            if told.counts_as in ONLY_READS or told.repeatable:
                raise CannotDo(str(error)) from error
            raise OutcomeUnknown(f"{error} It may have happened.") from error
        return said(
            answer.text, origin=told.results, source=f"mcp:{row.server}", summary=f"Asked {row.server}: {row.tool}"
        )

    async def preview(args: GivenArguments, _ctx: ToolContext) -> Preview:
        arguments = args.model_dump(mode="json")
        plain = generic(row.tool, _authority(told, names), arguments, reversible=told.counts_as in REVERSIBLE)
        facts = (
            Fact(label="Server", value=one_line(f"{row.server}: {setup.url or ' '.join(setup.command)}", 200)),
            Fact(label="Says of it", value=one_line(row.accepted_description, 200)),
        )
        return plain.model_copy(update={"facts": tuple(fact for fact in facts if fact.value)})

    return Tool(
        name=name_of(row.server, row.tool),
        description=row.accepted_description or f"{row.tool}, a tool of {row.server}.",
        effect=told.counts_as,
        arguments=model,
        authority=_authority(told, names),
        free_text=tuple(name for name in told.free_text if name in names),
        safe_to_repeat=told.repeatable,
        secrets=setup.secrets(),
        timeout=setup.timeout + AROUND,
        _body=body,
        _previewer=preview,
    )


def _authority(told: OutsideTool, names: tuple[str, ...]) -> tuple[str, ...]:
    """What tools.yaml names; where it names nothing, every argument that is not prose."""
    return told.authority or tuple(name for name in names if name not in told.free_text)
