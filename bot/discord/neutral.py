"""Makes Markdown that a model or a stranger wrote safe to show on Discord, and cuts it to Discord's limits.

Nobody is pinged anyway, because every message forbids it; this is for what people see: no mention lights up, no link
runs anything, every code block that is opened is closed. U+2060 WORD JOINER, which has no width, breaks a token up.
"""

from __future__ import annotations

import re

from bot.slack.neutral import JOINER, balanced, beginning, clip, line, open_fence, web_url
from bot.slack.neutral import neutral as without_tokens

__all__ = ["JOINER", "beginning", "clip", "code", "line", "neutral", "open_fence", "parts", "web_url"]

_HEADING = re.compile(r"(?m)^(\s*)#{4,6}\s+(.+?)\s*#*$")
_ROW = re.compile(r"^\s*\|.*\|\s*$")
_RULE = re.compile(r"^\s*\|?\s*:?-{3,}:?\s*(\|\s*:?-{3,}:?\s*)*\|?\s*$")
_MASKED = re.compile(r"\]\((https?://[^\s()<>]+)\)")


def neutral(markdown: str) -> str:
    """The text with nothing in it that Discord would act on; headings and tables as Discord can show them."""
    text = without_tokens(markdown)
    text = _HEADING.sub(r"\1**\2**", text)
    text = _MASKED.sub(r"](<\1>)", text)  # in angle brackets a link brings no preview along
    return _tables(text)


def code(text: str) -> str:
    """Literal text as it stands inside a code block: it cannot close the block."""
    return text.replace("```", f"``{JOINER}`")


def parts(text: str, limit: int) -> list[str]:
    """The text in pieces of at most `limit` characters, cut where it hurts least; a cut code block is closed and
    opened again. Joined, the pieces hold every character of the text but white space at the cuts."""
    made: list[str] = []
    rest, opening = text, ""
    while len(opening) + len(rest) > limit:
        at = _cut(rest, limit - len(opening) - 24)
        head = f"{opening}{rest[:at]}"
        fence = open_fence(head)
        made.append(f"{head.rstrip()}\n{fence}" if fence else head.rstrip())
        opening, rest = (f"{fence}\n" if fence else ""), rest[at:].lstrip("\n")
    return [*made, f"{opening}{rest}"] if rest.strip() or not made else made


def _cut(text: str, limit: int) -> int:
    head = text[:limit]
    for mark in ("\n\n", "\n", ". ", " "):
        at = head.rfind(mark)
        if at > limit // 3:
            return at + len(mark)
    return limit


def _tables(text: str) -> str:
    """Tables in code blocks, their columns aligned."""
    made: list[str] = []
    lines, fenced, at = text.split("\n"), False, 0
    while at < len(lines):
        if lines[at].lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        starts = not fenced and _ROW.match(lines[at]) and at + 1 < len(lines) and _RULE.match(lines[at + 1])
        if not starts:
            made.append(lines[at])
            at += 1
            continue
        end = at
        while end < len(lines) and _ROW.match(lines[end]):
            end += 1
        made += ["```", *_aligned([lines[at], *lines[at + 2 : end]]), "```"]
        at = end
    return balanced("\n".join(made))


def _aligned(rows: list[str]) -> list[str]:
    cells = [[_bare(cell) for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))] for row in rows]
    widths = [max(len(row[at]) if at < len(row) else 0 for row in cells) for at in range(max(map(len, cells)))]
    shown = ["  ".join(cell.ljust(widths[at]) for at, cell in enumerate(row)).rstrip() for row in cells]
    return [shown[0], "  ".join("-" * width for width in widths), *shown[1:]]


def _bare(cell: str) -> str:
    return code(re.sub(r"[`*]|(?<!\\)\\(?=\|)", "", cell).strip())
