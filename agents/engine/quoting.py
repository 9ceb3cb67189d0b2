"""How text that nobody vouches for is shown to a model: fenced, named, and unable to close its own fence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernel.types import Source

_FENCE = re.compile(r"<(/?)(?=(?:quoted|tool_output)\b)", re.IGNORECASE)
_BODY = re.compile(r"<(?P<tag>quoted|tool_output)[^>\n]*>\n(?P<body>.*)\n</(?P=tag)>", re.DOTALL)
_SOURCE = re.compile(r"^\[(\d+)\] (.*)\n((?:> .*\n?)*)", re.MULTILINE)

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


def list_sources(sources: list[Source]) -> str:
    """The sources of a result with the numbers by which the answer cites them; to stand after its fence."""
    lines = []
    for source in sources:
        title = " ".join(source.title.split())
        quote = shorten(source.quote.strip(), QUOTE_LIMIT)
        lines.append(f"[{source.number}] {title}\n" + "".join(f"> {line}\n" for line in quote.splitlines()))
    return _FENCE.sub(r"‹\1", "".join(lines))


def read_sources(text: str) -> list[tuple[int, str, str]]:
    """Number, title and passage of the sources that `list_sources` wrote after the last fence of `text`."""
    found = []
    for number, title, quote in _SOURCE.findall(text.rpartition("</tool_output>")[2]):
        passage = "\n".join(line[2:] for line in quote.splitlines())
        found.append((int(number), title, passage))
    return found


def _plain(value: str) -> str:
    return " ".join(re.sub(r'[<>"\n]', " ", value).split())[:200]
