"""Cuts a document into chunks: along its headings, about 1,200 characters each, never inside a table row or a fence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knowledge.engine.blocks import Block, headings_only, markdown_blocks, plain_blocks
from knowledge.engine.conversation import in_words, messages_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from knowledge.engine.readable import Format

VERSION = "2"  # part of every document's digest: a new way to cut makes new chunks
TARGET = 1_200  # characters of text, without the headings
LIMIT = 1_600
MAX_HEADING = 120  # characters of one heading that are put in front

_SENTENCES = re.compile(r"(?<=[.!?…。！？])\s+")
_FENCE = re.compile(r"[ ]{0,3}(`{3,}|~{3,})")


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """A piece of a document."""

    headings: tuple[str, ...]  # above it, outermost first, without the document's title
    text: str
    url: str = ""  # opens exactly this piece
    written_at: datetime | None = None

    def heading(self, title: str) -> str:
        """What is put in front for both indexes: title and headings, one per line."""
        return "\n".join([title, *self.headings])


def cut(text: str, form: Format, title: str) -> list[Chunk]:
    """The chunks of a text in order.

    Each has at most 1,600 characters, but for a single table row that is longer. A table or fence that has to be
    divided is divided between its lines, and each part is a whole table or fence again. A message of a conversation
    is a chunk; a page of a document begins one.
    """
    if form == "chat":
        return list(_messages(text))
    chunks = list(_pack(_blocks(text, form), title))
    if not chunks and form == "markdown" and (alone := headings_only(text)):
        chunks = [Chunk(headings=(), text="\n".join(alone)[:LIMIT])]
    return chunks


def _blocks(text: str, form: Format) -> list[Block]:
    if form == "markdown":
        return markdown_blocks(text)
    if form == "text":
        return plain_blocks(text)
    return [
        Block(kind=block.kind, text=block.text, headings=(f"Page {number}",))
        for number, page in enumerate(text.split("\f"), 1)
        for block in plain_blocks(page)
    ]


def _messages(text: str) -> Iterator[Chunk]:
    """Each message with who said it and when; one that is too long is divided."""
    for said in messages_of(text):
        for part in _join(in_words(said).split("\n"), "\n", LIMIT):
            yield Chunk(headings=(), text=part, url=said.url, written_at=said.at)


def _pack(blocks: list[Block], title: str) -> Iterator[Chunk]:
    """Put neighbouring pieces below the same headings together up to the target."""
    headings: tuple[str, ...] = ()
    gathered: list[str] = []
    size = 0
    for block in blocks:
        for piece in _pieces(block):
            if gathered and (block.headings != headings or size + len(piece) + 2 > TARGET):
                yield _chunk(headings, gathered, title)
                gathered, size = [], 0
            headings = block.headings
            gathered.append(piece)
            size += len(piece) + 2
    if gathered:
        yield _chunk(headings, gathered, title)


def _chunk(headings: tuple[str, ...], gathered: list[str], title: str) -> Chunk:
    path = headings[1:] if headings[:1] == (title,) else headings
    return Chunk(headings=tuple(heading[:MAX_HEADING] for heading in path), text="\n\n".join(gathered))


def _pieces(block: Block) -> Iterator[str]:
    """A block as pieces of at most the limit; whole where it fits."""
    if len(block.text) <= LIMIT:
        yield block.text
    elif block.kind == "table":
        yield from _table(block.text.split("\n"))
    elif block.kind == "code":
        yield from _code(block.text.split("\n"))
    elif block.kind == "list":
        yield from _join(block.items, "\n")
    else:
        yield from _join(block.text.split("\n"), "\n")


def _table(lines: list[str]) -> Iterator[str]:
    """A table in parts, each with the head on top."""
    head, rows = lines[:2], lines[2:]
    part: list[str] = []
    for row in rows:
        if part and len("\n".join([*head, *part, row])) > TARGET:
            yield "\n".join([*head, *part])
            part = []
        part.append(row)
    yield "\n".join([*head, *part])


def _code(lines: list[str]) -> Iterator[str]:
    """A fence in parts, each fenced as the whole was; indented code stays indented."""
    opening = _FENCE.match(lines[0])
    mark = opening.group(1) if opening else ""
    head = [lines[0]] if mark else []
    body = lines[1:] if mark else lines
    if mark and body and body[-1].strip().startswith(mark):
        body = body[:-1]
    foot = [mark] if mark else []
    room = TARGET - sum(len(line) + 1 for line in [*head, *foot])
    for part in _join(body, "\n", room):
        yield "\n".join([*head, part, *foot])


def _join(parts: list[str] | tuple[str, ...], glue: str, room: int = TARGET) -> Iterator[str]:
    """Parts put together up to `room`; one that is larger is divided at sentences, then words, then anywhere."""
    gathered: list[str] = []
    size = 0
    for part in parts:
        for piece in [part] if len(part) <= max(room, 1) else _divide(part, max(room, 1)):
            if gathered and size + len(piece) + len(glue) > room:
                yield glue.join(gathered)
                gathered, size = [], 0
            gathered.append(piece)
            size += len(piece) + len(glue)
    if gathered:
        yield glue.join(gathered)


def _divide(text: str, room: int) -> Iterator[str]:
    sentences = _SENTENCES.split(text)
    if len(sentences) > 1:
        yield from _join(sentences, " ", room)
        return
    words = text.split(" ")
    if len(words) > 1:
        yield from _join(words, " ", room)
        return
    for start in range(0, len(text), room):
        yield text[start : start + room]
