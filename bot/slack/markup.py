"""Slack's own markup of a message that somebody wrote, as Markdown with readable names."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN = re.compile(r"<([^<>\n]*)>")
USER = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")
OPENING = re.compile(r"\s*<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")
CHANNEL = re.compile(r"<#([CDG][A-Z0-9]+)(?:\|([^<>]*))?>")


def mentioned(text: str) -> list[str]:
    """Ids of the users that the text mentions, in order, each once."""
    return list(dict.fromkeys(USER.findall(text)))


def opens_with_other(text: str, me: str) -> bool:
    """Whether the message begins by addressing somebody who is not us."""
    found = OPENING.match(text)
    return found is not None and found.group(1) != me


def unnamed_channels(text: str) -> list[str]:
    """Ids of the channels that the text links without saying their names."""
    return list(dict.fromkeys(found.group(1) for found in CHANNEL.finditer(text) if not found.group(2)))


def to_markdown(text: str, me: str, names: Mapping[str, str]) -> str:
    """The text with our own mention taken out, other mentions as `@name`, links as Markdown and entities resolved.

    `names` maps user and channel ids to names; an id without a name stays an id.
    """
    without_us = re.sub(rf"[ \t]*<@{re.escape(me)}(?:\|[^<>]*)?>[ \t]*", " ", text) if me else text
    return html.unescape(TOKEN.sub(lambda found: _token(found.group(1), names), without_us)).strip()


def _token(inside: str, names: Mapping[str, str]) -> str:
    target, _, label = inside.partition("|")
    if target[:1] == "@":
        return f"@{names.get(target[1:]) or label or target[1:]}"
    if target[:1] == "#":
        return f"#{label or names.get(target[1:]) or target[1:]}"
    if target.startswith("!subteam^"):
        return label if label.startswith("@") else f"@{label or target[9:]}"
    if target.startswith("!date^"):
        return label
    if target[:1] == "!":
        return label if label.startswith("@") else f"@{label or target[1:]}"
    if not re.match(r"[a-z][a-z0-9+.-]*:", target, re.IGNORECASE):
        return f"<{inside}>"  # not a token of Slack: left as it is
    return _link(target, label)


def _link(target: str, label: str) -> str:
    """As it was typed where the label only repeats the address, else with the address in sight."""
    bare = re.sub(r"^(mailto:|tel:|https?://)", "", target)
    if not label:
        return target
    if label in {target, bare, bare.rstrip("/")}:
        return label
    return f"[{label}]({target})"


def said(message: Mapping[str, Any]) -> str:
    """What a message shows, in Slack's markup: its blocks where it is made of prose blocks, else its text."""
    parts = [_block_text(block) for block in message.get("blocks") or () if isinstance(block, dict)]
    return "\n\n".join(part for part in parts if part) or str(message.get("text") or "")


def _block_text(block: Mapping[str, Any]) -> str:
    kind = block.get("type")
    if kind == "markdown":
        return str(block.get("text") or "")
    if kind in {"section", "header"} and isinstance(block.get("text"), dict):
        return str(block["text"].get("text") or "")
    return ""
