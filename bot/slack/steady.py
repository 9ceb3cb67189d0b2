"""Which part of an answer that is still growing can be shown for good: text that later text will not change."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.engine.document.nodes import Break, Code, CodeSpan, Heading, Link, Listing, Paragraph, Styled, Words
from bot.engine.document.parse import parse
from bot.slack import prose

if TYPE_CHECKING:
    from bot.engine.document.nodes import Block, Inline

LONGEST = 11_000  # characters; what is longer is shown by the final message
UNFINISHED = frozenset("*_`~[]<&!\\|")  # in words that are plain so far: more text may make marks of them


def steady(partial: str) -> str:
    """The beginning of the text as Slack's Markdown. Of a text that grows it is, but for rare turns of Markdown, a
    beginning of what it is later; whoever appends checks that."""
    end = max(partial.rfind(" "), partial.rfind("\n"))
    blocks = list(parse(partial[: end + 1]).blocks)
    if not blocks:
        return ""
    last = blocks.pop()
    if isinstance(last, Code):  # its lines are final, that it ends here is not
        text = prose.write([*blocks, last])
        shown = text[: text.rstrip("`").rfind("\n") + 1].rstrip("\n")
    else:
        shown = prose.write([*blocks, *_finished(last)])
    return shown if len(shown) <= LONGEST else ""


def _finished(block: Block) -> list[Block]:
    """What of a last block is final."""
    if isinstance(block, Heading | Paragraph):
        return [] if any(map(_is_open, block.children)) else [block]
    if isinstance(block, Listing) and len(block.items) > 1:
        return [replace(block, items=block.items[:-1])]
    return []


def _is_open(child: Inline) -> bool:
    if isinstance(child, Words):
        return bool(UNFINISHED & set(child.text))
    return not isinstance(child, Break | CodeSpan | Styled | Link)
