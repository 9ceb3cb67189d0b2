"""The nodes of a document: prose, code, tables, lists, links, mentions. Values only; no platform is known here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Align: TypeAlias = Literal["", "left", "center", "right"]


# -- in a line --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """Plain text. Whatever looks like markup in it is not meant as markup."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeSpan:
    """Literal text in a line."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Styled:
    """Emphasised words."""

    style: Literal["strong", "em", "strike"]
    children: tuple[Inline, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """Words that lead somewhere. The address is as it was written: whether it may be followed, `addresses` says."""

    url: str
    children: tuple[Inline, ...]
    title: str = ""
    bare: bool = False  # the address itself stood in the text
    image: bool = False  # it was meant to be shown as a picture


@dataclass(frozen=True, kw_only=True, slots=True)
class Mention:
    """`@somebody`. It names and never pings."""

    handle: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Cite:
    """`[1]`: the number of a source."""

    number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Break:
    """A new line."""


Inline: TypeAlias = Words | CodeSpan | Styled | Link | Mention | Cite | Break


# -- blocks -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Paragraph:
    """Running text."""

    children: tuple[Inline, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Heading:
    """A headline, level 1 to 6."""

    level: int
    children: tuple[Inline, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Code:
    """Literal lines, without a newline at the end."""

    text: str
    language: str = ""  # one short word


@dataclass(frozen=True, kw_only=True, slots=True)
class Quote:
    """What somebody else said."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """A list; each item is a sequence of blocks."""

    items: tuple[tuple[Block, ...], ...]
    start: int | None = None  # the first number; None: bullets
    tight: bool = True  # no empty lines between the items


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """Rows of cells; every row is as long as the header."""

    header: tuple[tuple[Inline, ...], ...]
    rows: tuple[tuple[tuple[Inline, ...], ...], ...]
    align: tuple[Align, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A line across."""


Block: TypeAlias = Paragraph | Heading | Code | Quote | Listing | Table | Rule


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A whole text."""

    blocks: tuple[Block, ...]
