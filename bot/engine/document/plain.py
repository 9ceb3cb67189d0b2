"""The words of a document without marks: for notifications, screen readers, cells, comma-separated files."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

from bot.engine.document.nodes import (
    Break,
    Cite,
    Code,
    CodeSpan,
    Heading,
    Link,
    Listing,
    Mention,
    Paragraph,
    Quote,
    Rule,
    Table,
    Words,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bot.engine.document.nodes import Block, Document, Inline

INVISIBLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029\x85]|[\ud800-\udfff]")
WIDEST = 40  # characters of a column in a table of fixed width; longer cells push their row out


def words(document: Document) -> str:
    """All words, a line for each block, line of code and row of a table."""
    return "\n".join(lines(document.blocks))


def lines(blocks: Iterable[Block]) -> Iterator[str]:
    """The words of blocks, line by line."""
    for block in blocks:
        match block:
            case Paragraph() | Heading():
                yield of_line(block.children)
            case Code():
                yield from block.text.split("\n")
            case Quote():
                yield from lines(block.blocks)
            case Listing():
                for item in block.items:
                    yield from lines(item)
            case Table():
                for row in (block.header, *block.rows):
                    yield " | ".join(of_line(cell) for cell in row)
            case Rule():
                pass


def of_line(children: Iterable[Inline]) -> str:
    """The words of one line; a link says where it leads if its words do not."""
    return "".join(_of(child) for child in children)


def _of(child: Inline) -> str:
    match child:
        case Words() | CodeSpan():
            return child.text
        case Break():
            return "\n"
        case Mention():
            return f"@{child.handle}"
        case Cite():
            return f"[{child.number}]"
        case Link():
            label = of_line(child.children)
            return label if child.bare or label == child.url else f"{label} ({child.url})"
    return of_line(child.children)


def label_of(children: Iterable[Inline]) -> str:
    """The words of one line as a label: without the addresses that links lead to."""
    return "".join(
        label_of(child.children) if not isinstance(child, Words | CodeSpan | Break | Mention | Cite) else _of(child)
        for child in children
    )


def tables(blocks: Iterable[Block]) -> list[Table]:
    """The tables among these blocks and inside them, in the order in which they are read."""
    found: list[Table] = []
    for block in blocks:
        if isinstance(block, Table):
            found.append(block)
        elif isinstance(block, Quote):
            found += tables(block.blocks)
        elif isinstance(block, Listing):
            found += (table for item in block.items for table in tables(item))
    return found


def cells(table: Table) -> list[list[str]]:
    """Header and rows as plain text."""
    return [[" ".join(of_line(cell).split()) for cell in row] for row in (table.header, *table.rows)]


def to_csv(table: Table) -> str:
    """The table as comma-separated values; a cell never becomes a formula of whatever program opens it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([[_inert(cell) for cell in row] for row in cells(table)])
    return out.getvalue()


def _inert(cell: str) -> str:
    """A leading quote keeps a spreadsheet from running what a model wrote; numbers keep their sign."""
    if cell[:1] in {"=", "@", "\t", "\r"} or (cell[:1] in {"+", "-"} and not cell[1:].replace(".", "", 1).isdigit()):
        return f"'{cell}"
    return cell


def in_columns(table: Table) -> str:
    """The table with every column in its place, for a font of fixed width."""
    return columns(cells(table), table.align)


def columns(rows: Sequence[Sequence[str]], align: Sequence[str] = ()) -> str:
    """Rows of the same length, the first one the header, in columns of fixed width."""
    widths = [min(WIDEST, max(len(row[at]) for row in rows)) for at in range(len(rows[0]))]
    sides = [*align, *[""] * len(widths)]
    made = ["  ".join(_pad(cell, width, side) for cell, width, side in zip(row, widths, sides, strict=False))
            for row in rows]  # fmt: skip
    made.insert(1, "  ".join("-" * max(width, 1) for width in widths))
    return "\n".join(line.rstrip() for line in made)


def _pad(cell: str, width: int, side: str) -> str:
    return cell.rjust(width) if side == "right" else cell.ljust(width)


def summary(document: Document, limit: int) -> str:
    """The first words in one line of at most `limit` characters."""
    found: list[str] = []
    room = limit
    for line in lines(document.blocks):
        one = " ".join(line.split())
        if one:
            found.append(one)
            room -= len(one) + 1
        if room <= 0:
            break
    return clip(" ".join(found), limit)


def outline(document: Document, count: int = 5, limit: int = 200) -> list[str]:
    """What a long text is about, in at most `count` lines: its headlines where it has some, else its beginnings."""
    headings = [block for block in document.blocks if isinstance(block, Heading)]
    chosen: Sequence[Block] = headings if len(headings) > 1 else document.blocks
    found = (" ".join(line.split()) for block in chosen for line in lines([block]))
    return [clip(line, limit) for line in found if line][:count]


def visible(text: str) -> str:
    """The text without characters that nobody sees and that some programs act on; a line break is a new line."""
    return INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str, limit: int, default: str = "-") -> str:
    """The text as one visible line of at most `limit` characters: labels, titles, headlines."""
    return clip(" ".join(INVISIBLE.sub(" ", text).split()), limit) or default


def literal(text: str) -> str:
    """The text as one line of Markdown, in which nothing is a mark."""
    return "".join(f"\\{mark}" if mark in "\\`*_~[]<>#|!" else mark for mark in " ".join(text.split()))


def clip(text: str, limit: int) -> str:
    """At most `limit` characters, with an ellipsis where something was left out."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
