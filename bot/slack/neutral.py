"""Makes Markdown that a model or a stranger wrote safe to show in Slack: nobody is pinged, links go where they say, and
every code block that is opened is closed.

Works on the source and not on a parse of it: whatever Slack's own parser takes for code or for a link, what it could
act on is no longer there. The character that breaks a token up is U+2060 WORD JOINER, which has no width.
"""

from __future__ import annotations

import html
import re

from bot.engine.document.markdown import JOINER
from bot.engine.document.plain import visible

SCHEMES = frozenset({"http", "https", "mailto", "tel"})

# Everywhere, code included: what Slack resolves to people, groups, channels and dates.
_OPEN = r"(?:<|&lt;?|&#0*60;?|&#[xX]0*3[cC];?)"
_TOKEN = re.compile(
    rf"({_OPEN})(?=[\s\\]*(?:[@#][A-Z0-9]+\s*(?:[|>]|&gt)|!\s*(?i:channel|here|everyone|group|subteam|date)\b))"
)
# Outside code also anything that could still become one.
_LOOSE = re.compile(rf"({_OPEN})(?=[\s\\]*[!@#&<\\])")
_BROADCAST = re.compile(r"@(?=(?:channel|here|everyone|group)\b)", re.IGNORECASE)
_IMAGE = re.compile(r"!(?=\[([^\[\]\n]*\]\()?)")
_TARGET = re.compile(r"\](?=\s*\(|:)")  # the end of a link's text, of a reference's label
_TO_DESTINATION = re.compile(r"\s*[(:]\s*<?\s*")
_AUTOLINK = re.compile(r"<(?=\s*([A-Za-z][A-Za-z0-9+.\-]*)\s*:)")
_FENCE = re.compile(r"^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(`{3,}|~{3,})(.*)$")
_LONG_FENCE = re.compile(r"(`|~)\1{20,}")


def neutral(markdown: str) -> str:
    """The text with every ping and unsafe link broken up, images as links, and all fences closed."""
    text = visible(markdown)
    text = _LONG_FENCE.sub(lambda found: found.group(1) * 20, text)
    return balanced("\n".join(_calm(lines, code) for code, lines in _stretches(text)))


def balanced(markdown: str) -> str:
    """The text with a code block that is still open at its end closed."""
    fence = open_fence(markdown)
    return f"{markdown}\n{fence}" if fence else markdown


def open_fence(markdown: str) -> str:
    """What closes the code block that is open at the end of the text; empty where none is."""
    fence = ""
    for line in markdown.split("\n"):
        fence = _after(line, fence)
    return fence


def _after(line: str, fence: str) -> str:
    """The open fence after this line."""
    found = _FENCE.match(line)
    if not found:
        return fence
    marks, rest = found.group(1), found.group(2)
    if fence:
        closes = marks[0] == fence[0] and len(marks) >= len(fence) and not rest.strip()
        return "" if closes else fence
    return "" if marks[0] == "`" and "`" in rest else marks


def _stretches(text: str) -> list[tuple[bool, str]]:
    """The text cut into (inside a code block, lines)."""
    cut: list[tuple[bool, list[str]]] = []
    fence = ""
    for line in text.split("\n"):
        after = _after(line, fence)
        code = bool(fence) and bool(after)
        fence = after
        if not cut or cut[-1][0] != code:
            cut.append((code, []))
        cut[-1][1].append(line)
    return [(code, "\n".join(lines)) for code, lines in cut]


def _calm(text: str, code: bool) -> str:
    if code:
        return _TOKEN.sub(rf"\1{JOINER}", text)
    text = _IMAGE.sub(lambda found: "" if found.group(1) else f"!{JOINER}", text)
    text = _TARGET.sub(_unless_safe, text)
    text = _AUTOLINK.sub(lambda found: "<" if found.group(1).lower() in SCHEMES else f"<{JOINER}", text)
    text = _LOOSE.sub(rf"\1{JOINER}", text)
    text = _TOKEN.sub(rf"\1{JOINER}", text)
    return _BROADCAST.sub(f"@{JOINER}", text)


def _unless_safe(found: re.Match[str]) -> str:
    opening = _TO_DESTINATION.match(found.string, found.end())
    start = opening.end() if opening else found.end()
    return "]" if safe_url(_destination(found.string, start)) else f"]{JOINER}"


def _destination(text: str, start: int) -> str:
    """The beginning of a link's destination, as a parser would decode it."""
    raw = text[start : start + 300]
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", html.unescape(raw))


def safe_url(url: str) -> bool:
    """Whether a link may go there: the web, mail, a telephone, or a place on the same page."""
    squeezed = re.sub(r"[\s\x00-\x20\u00ad\u200b-\u200f\u2060\ufeff]+", "", url)
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.\-]*):", squeezed)
    if scheme:
        return scheme.group(1).lower() in SCHEMES
    return not re.match(r"[^/?#)\s]*[:%]", squeezed)


def mrkdwn(text: str) -> str:
    """Plain text for a `mrkdwn` field: Slack's three special characters escaped, so nothing in it is a token."""
    calm = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _BROADCAST.sub(f"@{JOINER}", calm)
