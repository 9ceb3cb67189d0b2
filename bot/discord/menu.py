"""Where each command stands below `/bosun`, which holds 25 entries: commands, or groups of 25 commands each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.engine.text_command import TextCommand

MOST = 25  # entries of a command or a group
REST = "more"  # the group of what has no room elsewhere
NAME = re.compile(r"[a-z0-9_-]{1,32}\Z")


def arranged(commands: Iterable[TextCommand], taken: int = 0) -> dict[str, list[TextCommand]]:
    """Group -> its commands, in their order; those that stand directly below `/bosun` under "".

    `taken`: entries that are used otherwise. What has no room in its place stands in the group `more`.
    """
    fitting = [command for command in commands if NAME.match(command.name)]
    groups: dict[str, list[TextCommand]] = {"": []}
    for command in fitting:
        groups.setdefault(command.group, []).append(command)
    named = groups.keys() - {"", REST}
    room = MOST - taken - len(named)
    top = [command for command in groups[""] if command.name not in groups]
    if len(top) < len(groups[""]) or len(top) > room or any(len(groups[name]) > MOST for name in named):
        room -= 1  # for the group of the rest
    kept = {"": top[:room], **{name: groups[name][:MOST] for name in groups if name in named}}
    placed = {command.name for found in kept.values() for command in found}
    rest = [command for command in fitting if command.name not in placed]
    return kept | ({REST: rest[:MOST]} if rest else {})
