"""A document as Markdown that means the same to the reader's platform: what was text stays text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.engine.document import plain
from bot.engine.document.addresses import outside_url
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
    Table,
    Words,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.engine.document.nodes import Block, Inline

JOINER = "\u2060"  # U+2060 WORD JOINER: no width, breaks a token up
MARKS = {"strong": "**", "em": "*", "strike": "~~"}

_BACKSLASH = re.compile(r"\\(?=[!-/:-@\[-`{-~]|$)")
_STARS = re.compile(r"(?<!\s)\*|\*(?!\s)")
_UNDERSCORE = re.compile(r"(?<![^\W_])_(?=\S)|(?<=\S)_(?![^\W_])")
_TILDES = re.compile(r"~(?=~)|(?<=~)~")
_TAG = re.compile(r"<(?=[A-Za-z/!?@#:&])")
_ENTITY = re.compile(r"&(?=#?\w{1,32};)")
_LINE_START = re.compile(r"(?m)^(\s*)([#>+=-]|\d{1,9}[.)])(?=\s|$|[#>=-])")
_LOOKS_LIKE_ADDRESS = re.compile(r"(?i)\b(?:[a-z][a-z0-9+.-]*://|www\.)|\b[a-z0-9-]+\.[a-z]{2,}(?:/|$)")


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """What a platform's Markdown understands."""

    headings: int = 6  # levels; deeper headlines are bold lines
    long_fences: bool = True  # a fence of four marks may hold one of three
    entities: bool = True  # &lt; is read as <
    spoilers: bool = False  # || hides what stands between
    previews: bool = True  # an address may bring a preview of its page along; otherwise it stands in angle brackets
    rule: str = "---"  # a line across
    break_mark: str = "\n"  # a new line within a paragraph


class Writer:
    """Writes blocks and lines in one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect

    def blocks(self, blocks: Iterable[Block], between: str = "\n\n") -> str:
        """Blocks below one another."""
        written: list[str] = []
        before: Block | None = None
        for block in blocks:
            made = self.block(block)
            if not made:
                continue
            if isinstance(block, Listing) and isinstance(before, Listing):
                written += [JOINER] * ((block.start is None) == (before.start is None))  # two lists in a row stay two
            written.append(made)
            before = block
        return between.join(written)

    def block(self, block: Block) -> str:
        """One block, without a new line at its end."""
        match block:
            case Paragraph():
                return self.line(block.children)
            case Heading():
                return self._heading(block)
            case Code():
                return self.code(block)
            case Quote():
                return "\n".join(f"> {line}" if line else ">" for line in self.blocks(block.blocks).split("\n"))
            case Listing():
                return self._listing(block)
            case Table():
                return self.code(Code(text=plain.in_columns(block)))
        return self.dialect.rule

    def line(self, children: Iterable[Inline]) -> str:
        """The children of a paragraph."""
        return _LINE_START.sub(_escaped_start, self._inline(children))

    def code(self, block: Code) -> str:
        """A code block whose fence nothing in it can close."""
        longest = max((len(run) for run in re.findall(r"`{3,}", block.text)), default=2)
        text, fence = block.text, "`" * min(longest + 1, 20)
        if longest >= 20 or (longest > 2 and not self.dialect.long_fences):
            text, fence = re.sub(r"`(?=``)", f"`{JOINER}", text), "```"
        return f"{fence}{block.language}\n{text}\n{fence}"

    def _heading(self, block: Heading) -> str:
        words = self._inline(block.children).replace("\n", " ").strip()
        if block.level > self.dialect.headings:
            return f"**{words}**"
        return f"{'#' * block.level} {words}"

    def _listing(self, block: Listing) -> str:
        written = []
        for number, item in enumerate(block.items, block.start or 0):
            mark = "- " if block.start is None else f"{number % 1_000_000_000}. "
            body = self.blocks(item, "\n" if block.tight else "\n\n")
            first, *rest = body.split("\n")
            indent = " " * len(mark)
            written.append("\n".join([mark + first, *(indent + line if line else "" for line in rest)]))
        return ("\n" if block.tight else "\n\n").join(written)

    # -- in a line ----------------------------------------------------------------------------------------------

    def _inline(self, children: Iterable[Inline]) -> str:
        return "".join(self._one(child) for child in children)

    def _one(self, child: Inline) -> str:
        match child:
            case Words():
                return self.text(child.text)
            case CodeSpan():
                return self._span(child.text)
            case Break():
                return self.dialect.break_mark
            case Mention():
                return self.text(f"@{child.handle}")
            case Cite():
                return f"[{child.number}]"
            case Link():
                return self._link(child)
        inside = self._inline(child.children)
        if not inside.strip():
            return inside
        lead, trail = inside[: len(inside) - len(inside.lstrip())], inside[len(inside.rstrip()) :]
        return f"{lead}{MARKS[child.style]}{inside.strip()}{MARKS[child.style]}{trail}"

    def text(self, text: str) -> str:
        """Words, with a backslash before what would be read as a mark."""
        text = _BACKSLASH.sub(r"\\\\", text).replace("`", r"\`")
        text = _STARS.sub(r"\*", text)
        text = _UNDERSCORE.sub(r"\_", text)
        text = _TILDES.sub(r"\~", text)
        text = _TAG.sub(f"<{JOINER}", text).replace("](", f"]{JOINER}(").replace("![", f"!{JOINER}[")
        if self.dialect.entities:
            text = _ENTITY.sub("&amp;", text)
        return text.replace("||", r"\|\|") if self.dialect.spoilers else text

    def _span(self, text: str) -> str:
        longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
        if longest > 2:
            return self.text(text)
        marks = "`" * (longest + 1)
        pad = " " if text[:1] == "`" or text[-1:] == "`" or not text.strip() else ""
        return f"{marks}{pad}{text}{pad}{marks}"

    def _link(self, link: Link) -> str:
        url = outside_url(link.url)
        label = plain.label_of(link.children)
        if url and (link.bare or label in {url, url.removeprefix("https://"), url.removeprefix("http://")}):
            return self._address(url)
        words = self._inline(link.children).replace("\n", " ").replace("]", f"]{JOINER}")
        if not url:  # it leads nowhere that may be followed: it is told, not linked
            return words if label == link.url else f"{words} ({self._span(link.url) if link.url else '-'})"
        if _LOOKS_LIKE_ADDRESS.search(label):  # words that look like another address would mislead
            return f"{words} ({self._address(url)})"
        return f"[{words}]({self._address(url.replace('(', '%28').replace(')', '%29'))})"

    def _address(self, url: str) -> str:
        return url if self.dialect.previews else f"<{url}>"


def _escaped_start(found: re.Match[str]) -> str:
    space, mark = found.group(1), found.group(2)
    if mark[0].isdigit():
        return f"{space}{mark[:-1]}\\{mark[-1]}"
    return f"{space}\\{mark}"
