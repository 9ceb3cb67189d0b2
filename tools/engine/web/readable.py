"""HTML to readable text, in a process of its own.

A page can be built so that parsing it takes minutes, and a parser written in C lets nothing else run meanwhile. So
this file is also a program: HTML on standard input, the address as argument, JSON on standard output. It imports
nothing of ours and gets no environment, and it is killed when its time is up.
"""

from __future__ import annotations

import contextlib
import json
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

MOST_TEXT = 200_000  # characters
MOST_LINKS = 400
MOST_MEMORY = 1 << 30  # bytes of address space

# Not shown, or not text.
SKIPPED = frozenset(
    {"audio", "button", "canvas", "embed", "head", "iframe", "math", "noscript", "object", "script", "select", "style"}
    | {"svg", "template", "video"}
)
# On lines of their own.
BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "body", "dd", "details", "div", "dl", "dt", "fieldset", "figure"}
    | {"figcaption", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol"}
    | {"p", "pre", "section", "summary", "table", "tr", "ul"}
)
STARTS = {"li": "- ", "blockquote": "> ", **{f"h{level}": "#" * level + " " for level in range(1, 7)}}


class _Writer:
    """Collects text: white space as a browser shows it, blocks on lines of their own."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.parts: list[str] = []
        self.size = 0
        self.links = 0
        self.preformatted = 0
        self.opened: dict[int, tuple[int, str]] = {}  # links that are open: where their text begins, target

    @property
    def full(self) -> bool:
        return self.size >= MOST_TEXT

    def add(self, text: str) -> None:
        if text:
            self.parts.append(text)
            self.size += len(text)

    def line(self) -> None:
        if self.parts and self.parts[-1] != "\n":
            self.add("\n")

    def text(self, text: str) -> None:
        if self.preformatted:
            self.add(text)
            return
        words = " ".join(text.split())
        if words:
            before = " " if text[0].isspace() and self.parts and not self.parts[-1].endswith(("\n", " ")) else ""
            self.add(f"{before}{words}{' ' if text[-1].isspace() else ''}")
        elif text and self.parts and not self.parts[-1].endswith(("\n", " ")):
            self.add(" ")

    def enter(self, node: LexborNode, tag: str) -> None:
        if tag in BLOCKS:
            self.line()
            self.add(STARTS.get(tag, ""))
            self.preformatted += tag == "pre"
        elif tag == "br":
            self.add("\n")
        elif tag in {"td", "th"} and self.parts and not self.parts[-1].endswith("\n"):
            self.add(" | ")
        elif tag == "a" and self.links < MOST_LINKS:
            target = _target(self.base, node.attributes.get("href"))
            if target:
                self.opened[node.mem_id] = (len(self.parts), target)

    def leave(self, node: LexborNode, tag: str) -> None:
        if tag in BLOCKS:
            self.preformatted -= tag == "pre"
            self.line()
        elif tag == "a" and node.mem_id in self.opened:
            start, target = self.opened.pop(node.mem_id)
            label = " ".join("".join(self.parts[start:]).split())
            if label:
                self.links += 1
                del self.parts[start:]
                self.add(f"[{label}]({target})")


def _target(base: str, href: str | None) -> str:
    """The absolute address of a link that leads to a page; empty for every other link."""
    if not href or href.startswith("#"):
        return ""
    try:
        target = urljoin(base, href.strip())
    except ValueError:
        return ""
    return target if target.startswith(("http://", "https://")) and len(target) < 1000 else ""


def _hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    style = (attributes.get("style") or "").replace(" ", "").lower()
    return "hidden" in attributes or "display:none" in style or "visibility:hidden" in style


def _walk(top: LexborNode, writer: _Writer) -> None:
    """Depth first, without recursion: pages can be deeper than Python's stack."""
    node: LexborNode | None = top
    while node is not None and not writer.full:
        tag = node.tag or ""
        inside: LexborNode | None = None
        if tag == "-text":
            writer.text(node.text_content or "")
        elif not tag.startswith("-") and tag not in SKIPPED and not _hidden(node):
            writer.enter(node, tag)
            inside = node.child
            if inside is None:
                writer.leave(node, tag)
        if inside is not None:
            node = inside
            continue
        while node is not None and node.mem_id != top.mem_id and node.next is None:
            node = node.parent
            if node is not None:
                writer.leave(node, node.tag or "")
        if node is None or node.mem_id == top.mem_id:
            return
        node = node.next


def extract(html: str, base: str) -> dict[str, str]:
    """Title and text of a page; headings, lists, tables and links as in Markdown."""
    from selectolax.lexbor import LexborHTMLParser

    page = LexborHTMLParser(html)
    title = page.css_first("head title")
    start = page.css_first("main") or page.body
    writer = _Writer(base)
    if start is not None:
        _walk(start, writer)
    lines = [line.rstrip() for line in "".join(writer.parts).splitlines()]
    shown = [line for number, line in enumerate(lines) if line or (number and lines[number - 1])]
    return {
        "title": " ".join((title.text() if title is not None else "").split())[:300],
        "text": "\n".join(shown).strip()[:MOST_TEXT],
    }


def main() -> None:
    """Read HTML, write JSON, within limits of memory and time."""
    import resource

    limits: list[tuple[int, Any]] = [(resource.RLIMIT_AS, MOST_MEMORY), (resource.RLIMIT_CPU, int(sys.argv[2]))]
    for limit, value in limits:
        with contextlib.suppress(ValueError, OSError):  # not every system limits every resource
            resource.setrlimit(limit, (value, value))
    found = extract(sys.stdin.buffer.read().decode(errors="replace"), sys.argv[1])
    sys.stdout.buffer.write(json.dumps(found).encode(errors="replace"))


if __name__ == "__main__":
    main()
