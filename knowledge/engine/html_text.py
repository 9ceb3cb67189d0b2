"""From HTML to Markdown: headings, paragraphs, lists, tables and code; what frames a page is left out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knowledge.engine.readable import table

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

LEFT_OUT = (
    "script, style, noscript, template, svg, iframe, nav, footer, aside, form, button, [hidden], [aria-hidden=true]"
)
BLOCKS = frozenset(
    {"p", "div", "section", "article", "main", "blockquote", "figure", "dl", "dt", "dd", "header", "body"}
)
HEADINGS = {f"h{level}": level for level in range(1, 7)}
MAX_DEPTH = 200  # elements within each other; deeper ones are read as plain text
LOGIN_WORDS = 120  # a page with a password field and fewer words than these is a login page


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a page says."""

    title: str
    markdown: str
    login: bool  # it asks for a password and says little else
    links: tuple[str, ...] = ()  # as they stand in it
    canonical: str = ""  # the address that it names as its own


def html_to_markdown(html: str) -> Page:
    """The readable part of a page."""
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(html)
    root = tree.body
    title_node = tree.css_first("title")
    title = " ".join(title_node.text().split()) if title_node is not None else ""
    links = tuple(str(node.attributes.get("href") or "") for node in tree.css("a[href]"))
    canonical_node = tree.css_first("link[rel=canonical]")
    canonical = str(canonical_node.attributes.get("href") or "") if canonical_node is not None else ""
    asks = tree.css_first("input[type=password]") is not None
    if root is None:
        return Page(title=title, markdown="", login=asks, links=links, canonical=canonical)
    for node in root.css(LEFT_OUT):
        node.decompose()
    main = root.css_first("main") or root.css_first("article") or root
    blocks: list[str] = []
    _walk(main, blocks, 0)
    markdown = "\n\n".join(block for block in blocks if block.strip())
    first = re.match(r"# (.+)", markdown)
    login = asks and len(markdown.split()) < LOGIN_WORDS
    return Page(
        title=title or (first.group(1) if first else ""),
        markdown=markdown,
        login=login,
        links=links,
        canonical=canonical,
    )


def _walk(node: LexborNode, blocks: list[str], depth: int) -> None:
    """Put the blocks below `node` to `blocks`, in order; text between blocks becomes a paragraph."""
    if depth > MAX_DEPTH:
        blocks.append(_words(node))
        return
    inline: list[str] = []

    def flush() -> None:
        if text := " ".join("".join(inline).split()):
            blocks.append(_escaped(text))
        inline.clear()

    for child in node.iter(include_text=True):
        if child.tag in BLOCKS or child.tag in SPECIAL or child.tag in HEADINGS:
            flush()
            _block(child, blocks, depth + 1)
        elif child.tag == "br":
            inline.append(" ")
        elif child.tag == "-text":
            inline.append(child.text_content or "")
        elif child.css_first("p, div, h1, h2, h3, h4, ul, ol, table, pre") is not None:
            flush()
            _walk(child, blocks, depth + 1)
        else:
            inline.append(child.text() or "")
    flush()


def _block(node: LexborNode, blocks: list[str], depth: int) -> None:
    tag = node.tag or ""
    if level := HEADINGS.get(tag):
        if words := _words(node):
            blocks.append(f"{'#' * level} {words}")
    elif tag == "table":
        rows = [[_words(each).replace("|", "\\|") for each in row.css("th, td")] for row in node.css("tr")]
        blocks.append(table([row for row in rows if row]))
    elif tag in {"ul", "ol"}:
        items = [_words(item) for item in node.iter() if item.tag == "li"]
        mark = "- " if tag == "ul" else "1. "
        blocks.append("\n".join(f"{mark}{item}" for item in items if item))
    elif tag == "pre":
        blocks.append(f"```\n{node.text().strip()}\n```")
    else:
        _walk(node, blocks, depth)


SPECIAL = frozenset({"table", "ul", "ol", "pre"})


def _words(node: LexborNode) -> str:
    return " ".join(node.text(separator=" ").split())


def _escaped(text: str) -> str:
    """A paragraph whose first character does not make it something else in Markdown."""
    return "\\" + text if text[:1] in "#>-+*|`" else text
