"""A document as HTML that is safe to show, whoever wrote it. The only place in the web chat where markup is made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING

import nh3

from bot.engine.document import plain
from bot.engine.document.addresses import safe_url
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
from bot.engine.document.parse import parse
from kernel import moments

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from bot.engine.document.nodes import Block, Inline

TAGS = frozenset(
    {"p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "span", "div"}
    | {"time", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"}
)
ATTRIBUTES = {
    "a": {"href", "title", "class", "target"},
    "ol": {"start"},
    "span": {"class"},
    "code": {"class"},
    "pre": {"tabindex"},  # a long line scrolls, also with the keyboard
    "div": {"class", "tabindex"},
    "th": {"class"},
    "td": {"class"},
    "time": {"datetime", "data-format"},
}
STYLES = {"strong": "strong", "em": "em", "strike": "s"}


def time_of(at: datetime, text: str) -> str:
    """A moment, which the page shows in the reader's own zone. `text` is what stands there without a script."""
    return f'<time datetime="{at.isoformat()}" data-format="near">{escape(text)}</time>'


@lru_cache(maxsize=2048)
def to_html(
    markdown: str, cites: tuple[tuple[int, str, str], ...] = (), mentions: tuple[tuple[str, str], ...] = ()
) -> str:
    """HTML of a Markdown text.

    `cites`: (number, address, title) of the sources, so that "[1]" opens one. `mentions`: (handle, name) of the people
    that become chips; what a model writes gets none.
    """
    page = _Page(cites={number: (url, title) for number, url, title in cites}, mentions=dict(mentions))
    return nh3.clean(
        page.blocks(parse(markdown).blocks),
        tags=set(TAGS),
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Page:
    """Writes one text."""

    cites: Mapping[int, tuple[str, str]]
    mentions: Mapping[str, str]

    def blocks(self, blocks: Iterable[Block], *, tight: bool = False) -> str:
        return "".join(self._block(block, tight=tight) for block in blocks)

    def _block(self, block: Block, *, tight: bool) -> str:
        match block:
            case Paragraph():
                return f"{self._line(block.children)}\n" if tight else f"<p>{self._line(block.children)}</p>\n"
            case Heading():
                level = min(block.level + 2, 6)  # the page's own headings are h1 and h2
                return f"<h{level}>{self._line(block.children)}</h{level}>\n"
            case Code():
                kind = f' class="language-{escape(block.language)}"' if block.language else ""
                return f'<pre tabindex="0"><code{kind}>{escape(block.text)}\n</code></pre>\n'
            case Quote():
                return f"<blockquote>\n{self.blocks(block.blocks)}</blockquote>\n"
            case Listing():
                return self._listing(block)
            case Table():
                return self._table(block)
        return "<hr>\n"

    def _listing(self, block: Listing) -> str:
        items = "".join(f"<li>{self.blocks(item, tight=block.tight)}</li>\n" for item in block.items)
        if block.start is None:
            return f"<ul>\n{items}</ul>\n"
        return f'<ol start="{block.start}">\n{items}</ol>\n' if block.start != 1 else f"<ol>\n{items}</ol>\n"

    def _table(self, block: Table) -> str:
        def row(cells: tuple[tuple[Inline, ...], ...], tag: str) -> str:
            kinds = (f' class="{side}"' if side else "" for side in block.align)
            made = (f"<{tag}{kind}>{self._line(cell)}</{tag}>" for cell, kind in zip(cells, kinds, strict=True))
            return f"<tr>{''.join(made)}</tr>\n"

        body = "".join(row(cells, "td") for cells in block.rows)
        head = row(block.header, "th")
        return f'<div class="table" tabindex="0"><table>\n<thead>{head}</thead>\n<tbody>{body}</tbody></table></div>\n'

    # -- in a line ----------------------------------------------------------------------------------------------

    def _line(self, children: Iterable[Inline]) -> str:
        return "".join(self._one(child) for child in children)

    def _one(self, child: Inline) -> str:
        match child:
            case Words():
                return moments.rewritten(escape(child.text), time_of)
            case CodeSpan():
                return f"<code>{escape(child.text)}</code>"
            case Break():
                return "<br>\n"
            case Mention():
                return self._mention(child.handle)
            case Cite():
                return self._cite(child.number)
            case Link():
                return self._link(child)
        return f"<{STYLES[child.style]}>{self._line(child.children)}</{STYLES[child.style]}>"

    def _mention(self, handle: str) -> str:
        name = self.mentions.get(handle.lower())
        if name is None:
            return escape(f"@{handle}")
        kind = "mention us" if handle.lower() == "bosun" else "mention"
        return f'<span class="{kind}">@{escape(name)}</span>'

    def _cite(self, number: int) -> str:
        if number not in self.cites:
            return f"[{number}]"
        url, title = self.cites[number]
        if not safe_url(url):
            return f'<span class="cite">{number}</span>'
        return f'<a href="{escape(url)}" class="cite" title="{escape(title)}" target="_blank">{number}</a>'

    def _link(self, link: Link) -> str:
        """A picture is a link like any other: showing it would load an address that a model chose."""
        url = safe_url(link.url)
        words = self._line(link.children)
        if not url:
            hidden = "" if link.bare or plain.label_of(link.children) == link.url else escape(f" ({link.url})")
            return words + (hidden if link.url else "")
        title = link.title or ("" if url.startswith("/") else url)
        return f'<a href="{escape(url)}" target="_blank" title="{escape(title)}">{words}</a>'
