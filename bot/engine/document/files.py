"""What is too long for a message, as a file beside it: a long text with its summary, a large table."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from bot.engine.document import plain
from bot.engine.document.nodes import Code, Paragraph, Words
from kernel.types import Frozen

if TYPE_CHECKING:
    from bot.engine.document.nodes import Block, Document, Table

ROWS_SHOWN, COLUMNS_SHOWN = 5, 8  # of a table that comes as a file


class Attachment(Frozen):
    """A file that belongs to a message. Its name holds its digest: the same name is the same content."""

    name: str
    content: str
    title: str


def attachment(stem: str, content: str, suffix: str, title: str, *, digest: str = "") -> Attachment:
    """A file with a name that follows from its content; `digest` is the content's, where it is known."""
    known = digest or hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()
    return Attachment(name=f"{stem}-{known[:12]}.{suffix}", content=content, title=title)


def long_text(markdown: str, document: Document) -> tuple[str, Attachment]:
    """What to say instead of a text that is too long, as Markdown, and the text as a file."""
    full = attachment("answer", markdown, "md", "The full text")
    count = len(markdown.split())
    lines = [f"- {escaped(line)}" for line in plain.outline(document)]
    head = f"The answer is long ({count:,} words), so it comes as **{full.name}**. In short:"
    return "\n".join([head, "", *lines]), full


def table_file(table: Table) -> Attachment:
    """A table with all its rows, for a spreadsheet."""
    return attachment("table", plain.to_csv(table), "csv", "The full table")


def table_head(table: Table, name: str) -> list[Block]:
    """The beginning of a table whose rest stands in the file `name`."""
    rows = [[plain.clip(cell, plain.WIDEST) for cell in row[:COLUMNS_SHOWN]] for row in plain.cells(table)]
    note = f"{len(table.rows)} rows and {len(table.header)} columns in all; the whole table is in {name}."
    return [Code(text=plain.columns(rows[: ROWS_SHOWN + 1])), Paragraph(children=(Words(text=note),))]


def escaped(line: str) -> str:
    """Words as Markdown that means nothing but the words."""
    return "".join(f"\\{mark}" if mark in "\\`*_~[]<>#|!" else mark for mark in line)
