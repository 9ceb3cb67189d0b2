"""A dashboard as Slack blocks that messages and Home tabs both take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine.document import plain
from bot.engine.document.addresses import web_url
from bot.slack import blocks, neutral

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.slack.blocks import Block
    from kernel.types import Dashboard, DashboardPart, DashboardRow

TITLE, DETAIL = 150, 700  # characters


def shown(value: Dashboard, console_url: str = "") -> list[Block]:
    """At most 50 blocks, the limit of a message: rows without a button share theirs."""
    made = [blocks.header(value.title)]
    for part in value.parts:
        made += _part(part, console_url, start=len(made))
    made += blocks.context([neutral.mrkdwn(value.footer)])
    return made[: blocks.BLOCKS]


def _part(part: DashboardPart, console_url: str, *, start: int) -> Iterator[Block]:
    yield blocks.section(f"*{neutral.mrkdwn(plain.one_line(part.title, TITLE))}*")
    together = ""
    for index, row in enumerate(part.rows):
        text = _row(row, console_url)
        button = blocks.button(row.action, 100 * start + index) if row.action is not None else None
        if together and (button is not None or len(together) + len(text) + 1 > blocks.SECTION):
            yield blocks.section(together)
            together = ""
        if button is not None:
            yield {**blocks.section(text), "accessory": button}
        else:
            together = f"{together}\n{text}" if together else text
    if together:
        yield blocks.section(together)
    yield from blocks.context([neutral.mrkdwn(part.more or ("" if part.rows else part.nothing))])


def _row(row: DashboardRow, console_url: str) -> str:
    title = neutral.mrkdwn(plain.one_line(row.title, TITLE))
    url = web_url(f"{console_url}{row.url}" if row.url.startswith("/") and console_url else row.url)
    if url:
        title = f"<{url.replace('&', '&amp;')}|{title.replace('|', '/')}>"
    detail = neutral.mrkdwn(plain.one_line(row.detail, DETAIL, ""))
    return f"• *{title}*" + (f"\n{detail}" if detail else "")
