"""search_web: pages of the public web, found by the search service that is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kernel.types import Fact, Source
from tools.engine import Arguments, OneLine, Preview, ToolContext, records, rows_of, tool
from tools.engine.preview import one_line
from tools.engine.web.search import NAMES, Hit, search, secrets

if TYPE_CHECKING:
    from kernel.types import ToolResult
    from tools.engine.setup.file import ToolsFile


class SearchWeb(Arguments):
    """What is looked for."""

    query: OneLine = Field(min_length=2, max_length=300, description="The words to search for")
    limit: int = Field(default=8, ge=1, le=20, description="How many pages")


def _is_set_up(setup: ToolsFile) -> bool:
    return setup.web.search is not None


async def _preview(args: SearchWeb, ctx: ToolContext) -> Preview:
    setup = ctx.setup.web.search
    where = NAMES[setup.provider] if setup is not None else "the web"
    return Preview(
        headline=one_line(f"Search the web: {args.query}"),
        facts=(Fact(label="Told to", value=where), Fact(label="Words", value=args.query)),
        warning="The search service reads these words.",
    )


@tool(
    effect="fetch",
    returns=Hit,
    secrets=secrets,
    timeout=40,
    on=_is_set_up,
    preview=_preview,
)
async def search_web(args: SearchWeb, ctx: ToolContext) -> ToolResult:
    """Search the public web. Use it for what the team's own documents cannot say; read a page with fetch_page.

    The service sees the words: put nothing confidential into them. What is found was written by outsiders.
    """
    found = await search(args.query, args.limit, ctx)
    return records(
        rows_of(found),
        summary=f"Found {len(found)} page{'' if len(found) == 1 else 's'}",
        empty="The search found nothing.",
        sources=tuple(
            Source(number=number, title=hit.title, url=hit.url, quote=hit.text) for number, hit in enumerate(found, 1)
        ),
    )
