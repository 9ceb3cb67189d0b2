"""search_chat: what was said in the team's channels, by words, person, channel and day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kernel.store import knowledge_chats as rows
from kernel.types import Labelled, Source, ToolResult
from tools.engine import Arguments, CannotDo, OneLine, ToolContext, chat, said, tool
from tools.engine.preview import one_line
from tools.engine.recall import audience_of

if TYPE_CHECKING:
    from kernel.store.knowledge import ChunkText


class SearchChat(Arguments):
    """Which messages."""

    words: str = Field(default="", max_length=300, description="Words of the messages; '' for the last ones")
    channel: str = Field(default="", pattern=r"^(#[^\s#]{1,80})?$", description="Only there: #finance; '' for all")
    by: OneLine = Field(default="", max_length=80, description="Only what this person said: id or name; '' for all")
    since: str = Field(default="", pattern=chat.DAY, description="From this day on: 2026-03-02; '' without end")
    until: str = Field(default="", pattern=chat.DAY, description="Up to and with this day; '' without end")
    limit: int = Field(default=10, ge=1, le=20, description="How many messages")


@tool(effect="read", free_text=("words",), timeout=20)
async def search_chat(args: SearchChat, ctx: ToolContext) -> ToolResult:
    """Search what was said in the team's channels, by words, person, channel and day. Best first; without words the
    last ones. The messages follow as numbered sources: cite them. read_chat shows the whole conversation.
    """
    from knowledge.engine.query import terms

    source = chat.source_of(chat.place_of(args.channel, ctx)) if args.channel else ""
    wanted = chat.meant(ctx, source=source, by=args.by, since=args.since, until=args.until)
    grants = (await audience_of(ctx)).readers
    words = terms(args.words) if args.words.strip() else []
    if args.words.strip() and not words:
        raise CannotDo("There is no word in this that could be looked for.")
    found = await ctx.store.read(
        lambda session: _distinct(rows.search(session, words, grants, wanted, 2 * args.limit), args.limit)
    )
    if not found:
        lacks = await chat.not_kept(grants, ctx, source)
        return said(f"Nothing was found. {lacks}".strip(), origin="nowhere", summary="Nothing was found")
    order = "the best first" if words else "the last first"
    return ToolResult(
        content=f"{_count(len(found))}, {order}; their text follows as sources.",
        pieces=tuple(
            Labelled(
                text=each.text,
                origin="member_text" if each.origin == "member_text" else "outside_text",
                source=each.document_id,
                readers=(chat.reader_of(each.source),),
            )
            for each in found
        ),
        sources=tuple(
            Source(number=number, title=_title(each, ctx), url=each.opens, quote=each.text)
            for number, each in enumerate(found, 1)
        ),
        summary=f"Found {_count(len(found)).lower()}",
    )


def _distinct(found: list[ChunkText], limit: int) -> list[ChunkText]:
    """A message that begins a thread stands in its day and in its thread; once is enough."""
    return list({(each.opens or each.id, each.text): each for each in found}.values())[:limit]


def _title(message: ChunkText, ctx: ToolContext) -> str:
    at = f", {message.written_at.astimezone(chat.zone_of(ctx)):%Y-%m-%d %H:%M}" if message.written_at else ""
    return one_line(f"{chat.name_of(message.source, ctx)}{at}", 200)


def _count(number: int) -> str:
    return "1 message" if number == 1 else f"{number} messages"
