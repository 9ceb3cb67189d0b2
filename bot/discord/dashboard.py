"""A dashboard as Discord components: at most 40 of them, and 4,000 characters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord

from bot.discord import ids, prose
from bot.engine.document import plain
from bot.engine.document.addresses import web_url

if TYPE_CHECKING:
    from kernel.types import Action, Dashboard, DashboardPart, DashboardRow

ROOM = 3_600  # characters, of the 4,000 that Discord takes
PIECES = 38  # components, of the 40 that Discord takes
TITLE, DETAIL, URL = 100, 220, 300  # characters


def view(value: Dashboard, console_url: str = "") -> discord.ui.LayoutView:
    """Rows with their buttons, as long as there is room for these; every part has its share of the characters."""
    made = discord.ui.LayoutView(timeout=None)
    box: discord.ui.Container[Any] = discord.ui.Container()
    box.add_item(discord.ui.TextDisplay(f"## {prose.line(value.title, 80, 'Home')}"))
    share = (ROOM - 300) // max(1, len(value.parts))
    left, later = 0, 2 * len(value.parts) + 2  # characters that earlier parts did not need; components kept for later
    for number, part in enumerate(value.parts):
        later -= 2
        builder = _Part(box, room=share + left, console_url=console_url, start=1000 * number)
        builder.add(part, most=PIECES - later)
        left = builder.room
    if value.footer:
        box.add_item(discord.ui.TextDisplay(f"-# {prose.line(value.footer, 200)}"))
    made.add_item(box)
    made.stop()  # only a form of JSON here: presses come to the router
    return made


class _Part:
    """Adds one part to the container."""

    def __init__(self, box: discord.ui.Container[Any], *, room: int, console_url: str, start: int) -> None:
        self.box = box
        self.room = room
        self.console_url = console_url
        self.start = start
        self.lines: list[str] = []

    def add(self, part: DashboardPart, *, most: int) -> None:
        """`most`: components that the container may have afterwards."""
        self._say(f"### {prose.line(part.title, TITLE, '-')}")
        for index, row in enumerate(part.rows):
            text = self._row(row)
            if len(text) + 60 > self.room:
                self._say(f"… and {len(part.rows) - index} more")
                break
            buttons = [self._button(action, 10 * index + at) for at, action in enumerate(row.actions)]
            if buttons and self._pieces() + 4 <= most:
                self._flush()
                self._with_buttons(text, buttons if self._pieces() + 3 + len(buttons) <= most else buttons[:1])
            else:
                self._say(text)
        if part.more or not part.rows:
            self._say(prose.lines(part.more or part.nothing))
        self._flush()

    def _button(self, action: Action, index: int) -> discord.ui.Button[Any]:
        return discord.ui.Button(
            label=plain.one_line(action.label, 80), custom_id=ids.of_action(action, self.start + index)
        )

    def _with_buttons(self, text: str, buttons: list[discord.ui.Button[Any]]) -> None:
        self.room -= len(text)
        if len(buttons) == 1:
            self.box.add_item(discord.ui.Section(text, accessory=buttons[0]))
            return
        self.box.add_item(discord.ui.TextDisplay(text))
        self.box.add_item(discord.ui.ActionRow(*buttons))

    def _row(self, row: DashboardRow) -> str:
        title = plain.one_line(row.title, TITLE)
        url = web_url(f"{self.console_url}{row.url}" if row.url.startswith("/") and self.console_url else row.url)
        shown = prose.link(title, url) if 0 < len(url) <= URL else f"**{prose.line(title, TITLE)}**"
        detail = prose.line(row.detail, DETAIL)
        return f"- {shown}\n  {detail}" if detail else f"- {shown}"

    def _say(self, text: str) -> None:
        if text:
            self.lines.append(text)
            self.room -= len(text) + 1

    def _flush(self) -> None:
        if self.lines:
            self.box.add_item(discord.ui.TextDisplay("\n".join(self.lines)))
            self.lines = []

    def _pieces(self) -> int:
        """Components of the container so far, itself and what waits to be added included."""
        return 1 + sum(1 for _ in self.box.walk_children()) + (1 if self.lines else 0)
