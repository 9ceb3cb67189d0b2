"""Discord's own markup of a message that somebody wrote, as Markdown with readable names."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN = re.compile(r"<(@!?|@&|#|a?:\w{2,32}:|t:|/[^:<>]{1,100}:)(-?\d{1,20})(?::[tTdDfFR])?>")
OPENING = re.compile(r"\s*<@(!?|&)(\d{15,20})>")


def mentions_role(text: str, role: str) -> bool:
    """Whether the text mentions the role."""
    return bool(role) and f"<@&{role}>" in text


def opens_with_other(text: str, ours: frozenset[str]) -> bool:
    """Whether the message begins by addressing somebody who is not us. `ours`: ids of our account and role."""
    found = OPENING.match(text)
    return found is not None and found.group(2) not in ours


def to_markdown(text: str, ours: frozenset[str], names: Mapping[str, str]) -> str:
    """The text with our own mention taken out, other mentions as `@name`, emoji and times in words.

    `names` maps ids of users, roles and channels to names; an id without a name stays an id.
    """
    without_us = re.sub(r"[ \t]*<@[!&]?(\d+)>[ \t]*", lambda found: " " if found[1] in ours else found[0], text)
    return TOKEN.sub(lambda found: _token(found, names), without_us).strip()


def _token(found: re.Match[str], names: Mapping[str, str]) -> str:
    kind, number = found.group(1), found.group(2)
    if kind.startswith("@"):
        return f"@{names.get(number, number)}"
    if kind == "#":
        return f"#{names.get(number, number)}"
    if kind == "t:":
        try:
            return f"{datetime.fromtimestamp(int(number), UTC):%Y-%m-%d %H:%M} UTC"
        except (ValueError, OverflowError, OSError):
            return found.group(0)
    return kind.removeprefix("a") if kind.endswith(":") and ":" in kind[:2] else kind.rstrip(":")
