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


def shown(value: Dashboard, console_url: str = "", most: int = blocks.BLOCKS) -> list[Block]:
    """At most `most` blocks. Where it is not enough for all buttons, each row has its first one."""
    made = _all(value, console_url, every=True)
    if len(made) > most:
        made = _all(value, console_url, every=False)
    return made[:most]


def _all(value: Dashboard, console_url: str, *, every: bool) -> list[Block]:
    made = [blocks.header(value.title)]
    for part in value.parts:
        made += _part(part, console_url, start=len(made), every=every)
    made += blocks.context([neutral.mrkdwn(value.footer)])
    return made


def _part(part: DashboardPart, console_url: str, *, start: int, every: bool) -> Iterator[Block]:
    """Rows without buttons share their blocks."""
    yield blocks.section(f"*{neutral.mrkdwn(plain.one_line(part.title, TITLE))}*")
    together = ""
    for index, row in enumerate(part.rows):
        text = _row(row, console_url)
        wanted = row.actions if every else row.actions[:1]
        buttons = [blocks.button(action, 1000 * start + 10 * index + at) for at, action in enumerate(wanted)]
        made = [button for button in buttons if button is not None]
        if together and (made or len(together) + len(text) + 1 > blocks.SECTION):
            yield blocks.section(together)
            together = ""
        if len(made) == 1:
            yield {**blocks.section(text), "accessory": made[0]}
        elif made:
            yield blocks.section(text)
            yield {"type": "actions", "elements": made}
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
