"""A document as Slack's blocks: prose as one kind of block, tables as another, what is too long as files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.engine.document import files, plain, split
from bot.engine.document.markdown import JOINER, Dialect, Writer
from bot.engine.document.nodes import Table
from bot.engine.document.parse import parse
from bot.slack import blocks, neutral

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.engine.document.files import Attachment
    from bot.engine.document.nodes import Block, Document

WRITER = Writer(Dialect())
TABLE_ROWS, TABLE_COLUMNS, TABLE_CHARS = 100, 20, 10_000  # of data_table; the characters count over all cells
TABLES = 10  # of a message; further ones are written as columns
ROOM = blocks.MARKDOWN


def write(document: Sequence[Block]) -> str:
    """Blocks as the text of a `markdown` block, in which Slack resolves nothing."""
    return neutral.neutral(WRITER.blocks(document)).strip()


def shown(markdown: str) -> tuple[list[dict[str, Any]], list[Attachment]]:
    """The blocks that show a text, and its files."""
    document = parse(markdown)
    made, attached = _blocks(document)
    if sum(len(block["text"]) for block in made if block["type"] == "markdown") <= ROOM and len(made) <= 2 * TABLES + 1:
        return made, attached
    short, full = files.long_text(markdown, document)
    return [blocks.markdown(write(parse(short).blocks))], [full]


def beginning(markdown: str, limit: int) -> str:
    """As much of a text as fits into `limit` characters, cut between blocks where that is possible."""
    document = parse(markdown)
    pieces = split.pack(document.blocks, write, limit - 2)
    first = next(pieces, "")
    return f"{first}\n…" if next(pieces, "") else first


def pieces(markdown: str, limit: int = ROOM) -> list[str]:
    """The whole text in pieces for messages one after the other."""
    return list(split.pack(parse(markdown).blocks, write, limit))


def summary(markdown: str, limit: int = 150) -> str:
    """The first words of a text, for notifications and screen readers; escaped, and no link for whatever reads it."""
    return neutral.mrkdwn(plain.summary(parse(markdown), limit)).replace("](", f"]{JOINER}(")


def _blocks(document: Document) -> tuple[list[dict[str, Any]], list[Attachment]]:
    made: list[dict[str, Any]] = []
    attached: list[Attachment] = []
    room = TABLE_CHARS
    for part in _parts(document.blocks):
        if not isinstance(part, Table):
            made += [blocks.markdown(text)] if (text := write(part)) else []
            continue
        cells = plain.cells(part)
        size = sum(len(cell) for row in cells for cell in row)
        if len(attached) >= TABLES or len(made) > 2 * TABLES:
            made.append(blocks.markdown(write([part])))
        elif 0 < len(part.rows) <= TABLE_ROWS and len(part.header) <= TABLE_COLUMNS and size <= room:
            room -= size
            made.append(blocks.table(cells))
        else:
            full = files.table_file(part)
            attached.append(full)
            made.append(blocks.markdown(write(files.table_head(part, full.name))))
    return made, attached


def _parts(document: Sequence[Block]) -> Iterator[list[Block] | Table]:
    """Tables, and the runs of prose between them."""
    run: list[Block] = []
    for block in document:
        if isinstance(block, Table):
            if run:
                yield run
            yield block
            run = []
        else:
            run.append(block)
    if run:
        yield run
