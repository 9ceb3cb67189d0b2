"""How text that nobody vouches for is shown to a model: fenced, named, and unable to close its own fence."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from kernel import moments

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.types import Json, Source

_FENCE = re.compile(r"<(/?)(?=(?:quoted|tool_output)\b)", re.IGNORECASE)
_BODY = re.compile(r"<(?P<tag>quoted|tool_output)[^>\n]*>\n(?P<body>.*)\n</(?P=tag)>", re.DOTALL)
_NUMBER = re.compile(r"\[(\d+)\] (.*)", re.DOTALL)

RESULT_LIMIT = 24_000  # characters of one result that a model gets to read
QUOTE_LIMIT = 2_000  # characters of one source's passage


def fence(tag: str, text: str, **attributes: str) -> str:
    """`text` between marks; the same marks inside it lose their meaning."""
    named = "".join(f' {name}="{_plain(value)}"' for name, value in attributes.items() if value)
    inside = _FENCE.sub(r"‹\1", text)
    return f"<{tag}{named}>\n{inside}\n</{tag}>"


def unfence(text: str) -> str:
    """What stands between the first marks in `text`; all of it where there are none."""
    found = _BODY.search(text)
    return found["body"] if found else text


def shorten(text: str, limit: int, hint: str = "") -> str:
    """At most about `limit` characters: the beginning, a note on what is left out, the end."""
    if len(text) <= limit:
        return text
    head, tail = limit * 3 // 4, limit // 4
    note = f"[... {len(text) - head - tail:,} characters are left out here. {hint}".rstrip() + "]"
    return f"{text[:head]}\n\n{note}\n\n{text[-tail:]}"


def source_blocks(sources: Iterable[Source]) -> list[dict[str, Json]]:
    """The sources of a result as search results of the Messages API, so that the model can cite them natively.

    Their titles begin with the numbers by which an answer cites them. To stand after what the result says.
    """
    return [
        {
            "type": "search_result",
            "source": str(source.number),
            "title": f"[{source.number}] {_titled(source)}",
            "content": [{"type": "text", "text": _FENCE.sub(r"‹\1", _passage(source))}],
            "citations": {"enabled": True},
        }
        for source in sources
    ]


def read_sources(blocks: Iterable[dict[str, Json]]) -> list[tuple[int, str, str]]:
    """Number, title and passage of the sources that `source_blocks` made."""
    found = []
    for block in blocks:
        named = _NUMBER.match(str(block.get("title", ""))) if block["type"] == "search_result" else None
        if named is not None:
            found.append((int(named[1]), named[2], str(block["content"][0]["text"])))
    return found


def in_text(block: dict[str, Json]) -> dict[str, Json]:
    """A block for a service that knows no search results: these become text; results of tools are looked through."""
    if block["type"] == "search_result":
        lines = str(block["content"][0]["text"]).splitlines()
        return {"type": "text", "text": "\n".join([str(block["title"]), *(f"> {line}" for line in lines)])}
    if block["type"] == "tool_result" and isinstance(block["content"], list):
        text = "\n\n".join(in_text(part)["text"] for part in block["content"])
        return {**block, "content": text}
    return block


def number_of(title: str) -> int | None:
    """The number of the source that `source_blocks` gave this title."""
    named = _NUMBER.match(title)
    return int(named[1]) if named is not None else None


def _titled(source: Source) -> str:
    title = " ".join(source.title.split()) or "Untitled"
    day = moments.day(date.fromisoformat(source.dated)) if source.dated else ""
    return f"{title} ({day})" if day and day not in title else title


def _passage(source: Source) -> str:
    return shorten(source.quote.strip(), QUOTE_LIMIT) or "(no text)"


def _plain(value: str) -> str:
    return " ".join(re.sub(r'[<>"\n]', " ", value).split())[:200]
