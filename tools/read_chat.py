"""read_chat: a thread or a stretch of a channel as it was said, to be summed up or looked through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kernel.store import knowledge_chats as rows
from kernel.types import Labelled, Source, ToolResult
from tools.engine import Arguments, CannotDo, ToolContext, chat, said, tool
from tools.engine.preview import one_line
from tools.engine.recall import audience_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from knowledge.engine.documents import Said

    Found = tuple[list[rows.Conversation], list[Said]]

LONGEST = 2_000  # characters of one message


class ReadChat(Arguments):
    """Which conversation."""

    channel: str = Field(default="", pattern=r"^(#[^\s#]{1,80})?$", description="Like #general; '' for this one")
    thread: str = Field(
        default="", max_length=500, description="A link of a message: its whole thread instead; 'here' for this thread"
    )
    since: str = Field(default="", pattern=chat.DAY, description="From this day on: 2026-03-02; '' without end")
    until: str = Field(default="", pattern=chat.DAY, description="Up to and with this day; '' without end")
    limit: int = Field(default=100, ge=1, le=300, description="How many messages, the last of them")
    skip: int = Field(default=0, ge=0, le=100_000, description="How many of the last messages to leave out")


@tool(effect="read", timeout=20)
async def read_chat(args: ReadChat, ctx: ToolContext) -> ToolResult:
    """Read a thread, or what was said in a channel in some days, oldest first. Use it to sum up a conversation: say
    what was decided, what is open and who does what, each with who said it, and cite the source.
    """
    grants = (await audience_of(ctx)).readers
    found, messages = await (_thread if args.thread else _channel)(args, ctx, grants)
    last = messages[: len(messages) - args.skip] if args.skip else messages
    shown = last[-args.limit :]
    if not shown:
        return said("Nothing was said there then.", origin="nowhere", summary="Nothing was said")
    older = len(last) - len(shown)
    note = f"{older} older messages: call it again with skip={args.skip + len(shown)}." if older else ""
    zone, name = chat.zone_of(ctx), chat.name_of(found[0].source, ctx)
    lines = [_line(each, each.at.astimezone(zone)) for each in shown]
    text = "\n".join(lines)
    title = one_line(f"{name}, {_span(shown[0].at.astimezone(zone), shown[-1].at.astimezone(zone))}", 200)
    return ToolResult(
        content="\n\n".join(filter(None, [f"{title}, times in {zone.key}:", text, note])),
        pieces=(
            Labelled(
                text=text,
                origin="member_text" if all(each.origin == "member_text" for each in found) else "outside_text",
                source=found[0].id,
                readers=(chat.reader_of(found[0].source),),
            ),
        ),
        sources=(Source(number=1, title=title, url=shown[0].url, quote=lines[0]),),
        summary=one_line(f"Read {len(shown)} message{'' if len(shown) == 1 else 's'} of {name}"),
    )


async def _channel(args: ReadChat, ctx: ToolContext, grants: list[str]) -> Found:
    source = chat.source_of(chat.place_of(args.channel, ctx))
    wanted = chat.meant(ctx, source=source, since=args.since, until=args.until)
    found = await ctx.store.read(lambda session: rows.conversations(session, grants, wanted))
    if not found and (lacks := await chat.not_kept(grants, ctx, source)):
        raise CannotDo(lacks)
    since, until = wanted.since, wanted.until
    messages = _in_order(found)
    return found, [each for each in messages if not (since and each.at < since) and not (until and each.at >= until)]


async def _thread(args: ReadChat, ctx: ToolContext, grants: list[str]) -> Found:
    """The thread of a message; the message alone where nobody has replied."""
    if args.channel or args.since or args.until:
        raise CannotDo("Name a thread, or a channel and days.")
    if args.thread == "here":
        key = f"{ctx.facts.place.lane}/{ctx.facts.place.thread}"
        found = await ctx.store.read(lambda session: rows.of_key(session, grants, key))
    else:
        found = await ctx.store.read(lambda session: rows.around(session, grants, args.thread))
    if not found:
        raise CannotDo("No such conversation is kept that everybody here may read.")
    threads = [each for each in found if not chat.is_day(each.key)]
    if threads:
        return threads, _in_order(threads)
    return found, [each for each in _in_order(found) if each.url == args.thread]


def _in_order(found: Sequence[rows.Conversation]) -> list[Said]:
    """The messages, oldest first; one that begins a thread stands in its day and in its thread, and comes once."""
    from knowledge.engine.conversation import messages_of

    known = {each.id: each for conversation in found for each in messages_of(conversation.text)}
    return sorted(known.values(), key=lambda each: (each.at, each.id))


def _line(message: Said, at: datetime) -> str:
    text = message.text.strip()
    cut = f"{text[:LONGEST]} [...]" if len(text) > LONGEST else text
    return f"[{at:%Y-%m-%d %H:%M}] {one_line(message.by, 80)}: {cut}"


def _span(first: datetime, last: datetime) -> str:
    return f"{first:%Y-%m-%d}" if first.date() == last.date() else f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
