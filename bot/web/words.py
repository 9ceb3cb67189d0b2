"""What people's texts say about whom they address: mentions, handles, and texts made readable for the desk."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.types import Json

CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)  # a mention in code is a quotation
OURS = re.compile(r"(?<![\w@./])@bosun\b[ \t]*[,:]?[ \t]*", re.IGNORECASE)
HANDLE = re.compile(r"(?<![\w@./])@([A-Za-z0-9][\w.-]*\w|\w)")


def addressed(text: str) -> str:
    """The text as somebody says it to Bosun."""
    return f"@bosun {text}"


def mentions_us(text: str) -> bool:
    """Whether the text mentions Bosun outside code."""
    return OURS.search(CODE.sub("", text)) is not None


def readable(text: str, names: Mapping[str, str]) -> str:
    """The text without our own mention, other people's handles as their names; code stays as it is."""

    def name(match: re.Match[str]) -> str:
        return "@" + names.get(match[1].lower(), match[1])

    pieces, end = [], 0
    for code in CODE.finditer(text):
        pieces += [HANDLE.sub(name, OURS.sub("", text[end : code.start()])), code[0]]
        end = code.end()
    pieces.append(HANDLE.sub(name, OURS.sub("", text[end:])))
    return "".join(pieces).strip()


def opens_with(text: str, names: Mapping[str, str]) -> bool:
    """Whether the text begins by addressing one of these people."""
    first = HANDLE.match(text.lstrip())
    return first is not None and first[1].lower() in names


def of_body(body: Json) -> str:
    """A message's body as plain words, for whoever reads the thread."""
    match body["type"]:
        case "said":
            return str(body["text"])
        case "file":
            return str(body["comment"])
        case "card":
            return f"{body['headline']}\n{body['state']}"
        case "progress":
            return str(body.get("partial") or body["title"])
        case _:
            return str(body["markdown"])
