"""HTML: the main text as Markdown, without navigation and scripts."""

from __future__ import annotations

from knowledge.engine.formats.plain import decode
from knowledge.engine.html_text import html_to_markdown
from knowledge.engine.readable import NotReadable, Parsed

SUFFIXES = (".html", ".htm", ".xhtml")


def read(data: bytes) -> Parsed:
    """The text of a page; NotReadable where it shows only a login form."""
    page = html_to_markdown(decode(data))
    if page.login:
        raise NotReadable("It is a login page.", hint="Download the page again while you are signed in.")
    return Parsed(text=page.markdown, title=page.title)
