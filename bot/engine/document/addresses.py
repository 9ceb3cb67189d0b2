"""Which addresses a link may lead to. Everything else is shown as text, wherever it is shown."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

FOLLOWED = frozenset({"http", "https", "mailto"})


def safe_url(url: str) -> str:
    """The address if it may stand in a link (http, https, mailto, or a path of ours), else an empty string."""
    if url.startswith("/"):
        return "" if url.startswith(("//", "/\\")) else url
    try:
        scheme = urlsplit(url).scheme.lower()
    except ValueError:
        return ""
    return url if scheme in FOLLOWED else ""


def web_url(url: str) -> str:
    """The address if it is an ordinary one of the web, that can stand in a link or a button, else nothing."""
    if not re.fullmatch(r"https?://[^\s<>|\"`\\\x00-\x20]{1,2000}", url):
        return ""
    try:
        return url if urlsplit(url).hostname else ""
    except ValueError:
        return ""


def outside_url(url: str) -> str:
    """The address if it can be followed from another platform: the web or mail, no path of ours."""
    return web_url(url) or (url if re.fullmatch(r"mailto:[^\s<>|\"`\\()]{3,300}", url) else "")
