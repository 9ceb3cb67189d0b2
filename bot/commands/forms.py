"""`answer F-7F3K field=value ...`: a form without its dialog."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.engine.text_command import TextCommand

if TYPE_CHECKING:
    from bot.engine.text_command import Asked, Office

FIELD = re.compile(r"([a-z][a-z0-9_]*)\s*=\s*(\"[^\"]*\"|\S+)")


async def answer(asked: Asked, office: Office) -> str:
    """Fill the form in with what was said."""
    said = {name: value.strip('"') for name, value in FIELD.findall(asked.words.get("said", ""))}
    return await office.forms.fill_in(asked.rest, said, asked.person, asked.actor)


COMMANDS = (
    TextCommand(
        name="answer",
        shape=r"answer\s+(?P<rest>F-[0-9A-Za-z]{4,26})\s+(?P<said>.+)",
        run=answer,
        usage='F-7F3K amount=5 note="..."',
        place=24,
        acting=True,
        personal=True,
        does="fill in a form without its dialog",
    ),
)
