"""A document in pieces that fit: cut between blocks, and where a block is too long, where it hurts least.

Code that is cut has its fence closed and opened again; a table repeats its header; a list goes on with its numbers.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.engine.document import plain
from bot.engine.document.nodes import (
    Break,
    Code,
    CodeSpan,
    Heading,
    Link,
    Listing,
    Mention,
    Paragraph,
    Quote,
    Styled,
    Table,
    Words,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from bot.engine.document.nodes import Block, Inline

BETWEEN = 8  # characters that stand between two blocks at most, marks that keep them apart included
MOST_WORDS = 400  # characters of something in a line that cannot be cut; an address that is longer becomes text


def pack(blocks: Iterable[Block], write: Callable[[Sequence[Block]], str], limit: int) -> Iterator[str]:
    """The blocks as written pieces of at most `limit` characters, which is 200 or more; made as they are asked for."""
    taken: list[Block] = []
    most = 0  # characters that what is taken has at most when it is written; writing it at every block would be slow
    for block, size in _fitting(blocks, write, limit):
        most += size + BETWEEN
        if most > limit and taken:
            most = len(write([*taken, block]))
            if most > limit:
                yield write(taken)
                taken, most = [], size
        taken.append(block)
    if text := write(taken).strip():
        yield text


def _fitting(
    blocks: Iterable[Block], write: Callable[[Sequence[Block]], str], limit: int
) -> Iterator[tuple[Block, int]]:
    """The blocks with their written size, those that do not fit cut in halves until they do."""
    waiting = list(blocks)[::-1]
    while waiting:
        block = waiting.pop()
        size = len(write([block]))
        parts = halves(block) if size > limit else []
        if block in parts:  # nothing in it can be cut: its words can
            parts = [Paragraph(children=(Words(text=line),)) for line in plain.lines([block]) if line]
        if not parts or block in parts:
            yield block, size
        waiting += [part for part in parts[::-1] if part != block]


def halves(block: Block) -> list[Block]:
    """The block as two that say the same together."""
    match block:
        case Paragraph() | Heading():
            return [replace(block, children=part) for part in _halved(block.children) if part]
        case Code():
            return [replace(block, text=part) for part in _halved_text(block.text, "\n")]
        case Quote():
            return [Quote(blocks=tuple(part)) for part in _halved_blocks(block.blocks)]
        case Listing():
            return _halved_list(block)
        case Table():
            return _halved_table(block)
    return [block]


def _halved_blocks(blocks: Sequence[Block]) -> list[list[Block]]:
    if len(blocks) > 1:
        middle = len(blocks) // 2
        return [list(blocks[:middle]), list(blocks[middle:])]
    return [[part] for part in halves(blocks[0])]


def _halved_list(block: Listing) -> list[Block]:
    if len(block.items) > 1:
        middle = len(block.items) // 2
        start = None if block.start is None else block.start + middle
        return [replace(block, items=block.items[:middle]), replace(block, items=block.items[middle:], start=start)]
    first, *rest = _halved_blocks(block.items[0])
    return [replace(block, items=(tuple(first),)), *(one for part in rest for one in part)]


def _halved_table(block: Table) -> list[Block]:
    if len(block.rows) > 1:
        middle = len(block.rows) // 2
        return [replace(block, rows=block.rows[:middle]), replace(block, rows=block.rows[middle:])]
    rows: list[Block] = []
    for cells in (block.header, *block.rows):  # one row alone is too long: its cells below one another
        rows += [Paragraph(children=cell) for cell in cells if cell]
    return rows


def _halved(children: tuple[Inline, ...]) -> tuple[tuple[Inline, ...], tuple[Inline, ...]]:
    breaks = [at for at, child in enumerate(children) if isinstance(child, Break)]
    if breaks and len(children) > 1:
        middle = min(breaks, key=lambda at: abs(at - len(children) // 2))
        if 0 < middle < len(children) - 1:
            return children[:middle], children[middle + 1 :]
    if len(children) > 1:
        middle = len(children) // 2
        return children[:middle], children[middle:]
    first, second = _halved_inline(children[0])
    return (first,), (second,)


def _halved_inline(child: Inline) -> tuple[Inline, Inline]:
    match child:
        case Words() | CodeSpan():
            first, second = _halved_text(child.text, " ")
            return replace(child, text=first), replace(child, text=second)
        case Styled():
            one, two = _halved(child.children)
            return replace(child, children=one), replace(child, children=two)
        case Link() if len(child.url) > MOST_WORDS or child.bare:
            return Words(text=child.url[: len(child.url) // 2]), Words(text=child.url[len(child.url) // 2 :])
        case Link():
            one, two = _halved(child.children)
            return replace(child, children=one), replace(child, children=two)
        case Mention():
            middle = len(child.handle) // 2
            return Words(text=f"@{child.handle[:middle]}"), Words(text=child.handle[middle:])
    return child, Words(text="")


def _halved_text(text: str, at: str) -> list[str]:
    """Two halves, cut at the `at` that is nearest to the middle; in the middle where there is none."""
    middle = len(text) // 2
    before, after = text.rfind(at, 1, middle), text.find(at, middle, len(text) - 1)
    found = [place for place in (before, after) if place > 0]
    if not found:
        return [text[:middle], text[middle:]]
    place = min(found, key=lambda one: abs(one - middle))
    return [text[:place], text[place + 1 :]]
