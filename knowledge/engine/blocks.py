"""What a text is made of: its blocks in order, each below its headings. Nothing here knows how long a chunk is."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

BlockKind = Literal["prose", "list", "table", "code"]
_KINDS: dict[str, BlockKind] = {
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "table_open": "table",
    "fence": "code",
    "code_block": "code",
}
_PARAGRAPHS = re.compile(r"\n[ \t]*\n")


@dataclass(frozen=True, kw_only=True)
class Block:
    """Some lines that belong together, as they stand in the text."""

    kind: BlockKind
    text: str
    headings: tuple[str, ...] = ()  # outermost first
    items: tuple[str, ...] = ()  # of a list: its items; together they are `text`


@dataclass(kw_only=True)
class _Path:
    """The headings above the line that is being read."""

    levels: list[tuple[int, str]] = field(default_factory=list)

    def enter(self, level: int, title: str) -> None:
        while self.levels and self.levels[-1][0] >= level:
            self.levels.pop()
        self.levels.append((level, title))

    @property
    def titles(self) -> tuple[str, ...]:
        return tuple(title for _level, title in self.levels if title)


def plain_blocks(text: str) -> list[Block]:
    """The paragraphs of a plain text."""
    return [Block(kind="prose", text=part.strip("\n").rstrip()) for part in _PARAGRAPHS.split(text) if part.strip()]


def markdown_blocks(text: str) -> list[Block]:
    """The blocks of a Markdown text below their headings. Every line that says something is in exactly one."""
    lines = text.split("\n")
    tokens = _parser().parse(text)
    path = _Path()
    blocks: list[Block] = []
    reached = 0
    for position, token in enumerate(tokens):
        if token.level or token.map is None or token.nesting < 0:
            continue
        blocks.extend(_unparsed(lines, reached, token.map[0], path.titles))
        reached = token.map[1]
        if token.type == "heading_open":
            path.enter(int(token.tag[1:]), _words(tokens[position + 1]))
        elif token.type != "hr" and (body := _between(lines, token.map)):
            items = tuple(_items(tokens, position, lines)) if token.type.endswith("list_open") else ()
            kind = _KINDS.get(token.type, "prose")
            blocks.append(Block(kind=kind, text=body, headings=path.titles, items=items))
    blocks.extend(_unparsed(lines, reached, len(lines), path.titles))
    return blocks


def _unparsed(lines: Sequence[str], start: int, end: int, headings: tuple[str, ...]) -> Iterator[Block]:
    """Lines that the parser keeps to itself: the targets of links."""
    if body := _between(lines, (start, end)):
        yield Block(kind="prose", text=body, headings=headings)


def first_heading(text: str) -> str:
    """The text of the first heading of level 1; empty where there is none."""
    tokens = _parser().parse(text)
    for position, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag == "h1" and not token.level:
            return _words(tokens[position + 1])
    return ""


def headings_only(text: str) -> list[str]:
    """The headings of a Markdown text, for one that has nothing below them."""
    tokens = _parser().parse(text)
    return [_words(tokens[n + 1]) for n, token in enumerate(tokens) if token.type == "heading_open"]


@functools.cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table")


def _words(inline: Token) -> str:
    """A heading as plain words: `**Refunds** for [us](x)` is "Refunds for us"."""
    parts = [child.content for child in inline.children or () if child.type in {"text", "code_inline"}]
    return " ".join("".join(parts).split())


def _between(lines: Sequence[str], span: Sequence[int]) -> str:
    return "\n".join(lines[span[0] : span[1]]).strip("\n").rstrip()


def _items(tokens: Sequence[Token], start: int, lines: Sequence[str]) -> Iterator[str]:
    """The items of the list that opens at `start`; what is nested in an item belongs to it."""
    for token in tokens[start + 1 :]:
        if token.level == 0:
            return
        if token.level == 1 and token.type == "list_item_open" and token.map is not None:
            yield _between(lines, token.map)
