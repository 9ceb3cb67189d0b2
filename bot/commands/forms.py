"""`answer`: a form without its dialog (`F-7F3K field=value`), or a question about one's own request (`AP-7F3K`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.engine import offers
from bot.engine.text_command import TextCommand

if TYPE_CHECKING:
    from bot.engine.text_command import Asked, Office

FIELD = re.compile(r"([a-z][a-z0-9_]*)\s*=\s*(\"[^\"]*\"|\S+)")


async def answer(asked: Asked, office: Office) -> str:
    """Fill the form in with what was said, or answer the oldest open question about a request."""
    if asked.rest.upper().startswith("AP-"):
        return await office.decisions.answer_question(asked.rest, asked.words["said"], asked.actor)
    said = {name: value.strip('"') for name, value in FIELD.findall(asked.words.get("said", ""))}
    return await office.forms.fill_in(asked.rest, said, asked.person, asked.actor)


TOPIC = "approvals"
COMMANDS = (
    TextCommand(
        name="answer",
        offers=offers.requested,
        group="decisions",
        shape=r"answer\s+(?P<rest>(?:F|AP)-[0-9A-Za-z]{4,26})\s+(?P<said>.+)",
        run=answer,
        usage='F-7F3K amount=5 note="..."',
        place=24,
        acting=True,
        personal=True,
        does="fill in a form, or answer a question about your request, without the dialog",
    ),
)
