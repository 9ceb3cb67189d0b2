"""A document as Discord's Markdown. Nothing here is sent.

Nobody is pinged anyway, because every message forbids it; this is for what people see: no mention lights up, no link
runs anything, every code block that is opened is closed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.engine.document import files, plain, split
from bot.engine.document.markdown import JOINER, Dialect, Writer
from bot.engine.document.nodes import Document, Link, Paragraph, Table, Words
from bot.engine.document.parse import parse
from kernel import moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.engine.document.files import Attachment
    from bot.engine.document.nodes import Block

CONTENT = 1_900  # of the 2,000 characters that a message may have: room for the small print below it
MESSAGES = 3  # of one answer; what is longer comes as a file
TABLE = 1_800  # characters of a table in columns; a larger one comes as a file

WRITER = Writer(
    Dialect(headings=3, long_fences=False, entities=False, spoilers=True, previews=False, rule="\u2500" * 12)
)  # source: support.discord.com, "Markdown Text 101"

# What Discord makes a mention, an emoji, a time or a command of; and the two words that call everybody.
_TOKEN = re.compile(r"<(?=@|#|:|a:|t:|id:|/)")
_BROADCAST = re.compile(r"@(?=everyone|here)", re.IGNORECASE)


def shown(markdown: str, limit: int = CONTENT, most: int = MESSAGES) -> tuple[list[str], list[Attachment]]:
    """The whole text in at most `most` messages of at most `limit` characters, and its files; a longer text as its
    outline and a file."""
    document = parse(markdown)
    blocks, attached = _with_small_tables(document)
    messages = list(split.pack(blocks, write, limit))
    if len(messages) > most:
        short, full = files.long_text(markdown, document)
        return [beginning(short, limit)], [full]
    return messages, attached


def beginning(markdown: str, limit: int) -> str:
    """As much of a text as fits into `limit` characters, which is 200 or more, cut between blocks where possible."""
    pieces = split.pack(parse(markdown).blocks, write, limit - 2)
    first = next(pieces, "")
    return f"{first}\n…" if next(pieces, "") else first


def line(text: str, limit: int, default: str = "") -> str:
    """At most `limit` characters of a text that is no Markdown, in one line: titles, names, quotes."""
    return lines(plain.one_line(text, limit, default))


def lines(text: str) -> str:
    """A text that is no Markdown, with nothing in it that Discord would take for a mark."""
    return write([Paragraph(children=(Words(text=plain.visible(text)),))])


def timed(text: str) -> str:
    """What was written, with every moment outside code blocks in the zone of who reads it; never longer."""
    parts = text.split("```")
    parts[::2] = [moments.rewritten(part, lambda at, _written: f"<t:{int(at.timestamp())}:f>") for part in parts[::2]]
    return "```".join(parts)


def link(title: str, url: str) -> str:
    """Words that lead to an address of the web."""
    return write([Paragraph(children=(Link(url=url, children=(Words(text=title),)),))])


def write(blocks: Sequence[Block]) -> str:
    """Blocks as Discord's Markdown, in which nothing is resolved."""
    return calm(WRITER.blocks(blocks)).strip()


def calm(markdown: str) -> str:
    """The text with every mention, custom emoji and command in it broken up."""
    return _BROADCAST.sub(f"@{JOINER}", _TOKEN.sub(f"<{JOINER}", markdown))


def _with_small_tables(document: Document) -> tuple[list[Block], list[Attachment]]:
    """The blocks with every table that is too large cut to its beginning, and those tables as files."""
    blocks: list[Block] = []
    attached: list[Attachment] = []
    for block in document.blocks:
        if not isinstance(block, Table) or len(plain.in_columns(block)) <= TABLE:
            blocks.append(block)
            continue
        full = files.table_file(block)
        attached.append(full)
        blocks += files.table_head(block, full.name)
    return blocks, attached
