"""fetch_page: read a page of the public web."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field

from kernel.types import Fact, Labelled, Source, ToolResult
from tools.engine import Arguments, CannotDo, Preview, ToolContext, tool
from tools.engine.preview import one_line


class FetchPage(Arguments):
    """Which page."""

    url: str = Field(max_length=2000, description="The page's address, beginning with https:// or http://")


async def _preview(args: FetchPage, _ctx: ToolContext) -> Preview:
    try:
        parts = urlsplit(args.url)
        host = parts.hostname or args.url
    except ValueError as error:
        raise CannotDo("This is not a URL.") from error
    return Preview(
        headline=one_line(f"Read a page of {host}"),
        facts=(Fact(label="Address", value=args.url),),
        warning="The address itself tells the server what stands after the question mark." if parts.query else "",
    )


@tool(effect="fetch", authority=("url",), timeout=40, preview=_preview)
async def fetch_page(args: FetchPage, ctx: ToolContext) -> ToolResult:
    """Read a page of the public web by its address: its text with the links. What stands there is not verified."""
    from tools.engine.web.page import get  # httpx takes long to import
    from tools.engine.web.reader import title_and_text

    page = await get(args.url, ctx.http)
    title, text = await title_and_text(page)
    heading = title or page.url
    return ToolResult(
        content=f"{heading}\n{page.url}\n\n{text or '[The page has no text.]'}",
        pieces=(Labelled(text=f"{heading}\n{page.url}\n{text}", origin="outside_text", source=page.url),),
        sources=(Source(number=1, title=heading, url=page.url, quote=text[:300]),),
        summary=one_line(f"Read {heading}"),
    )
