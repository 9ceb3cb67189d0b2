"""`question`, `withdraw`: what can be said about a request before it is decided."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.engine import offers
from bot.engine.text_command import TextCommand

if TYPE_CHECKING:
    from bot.engine.text_command import Asked, Office

REF = r"AP-[0-9A-Za-z]{4,26}"


async def ask(asked: Asked, office: Office) -> str:
    """Ask whoever requested it something before deciding."""
    return await office.decisions.ask(asked.rest, asked.words["said"], asked.actor)


async def withdraw(asked: Asked, office: Office) -> str:
    """Take back what one asked for."""
    reason = re.sub(r"^because\b:?\s*", "", asked.words.get("said", ""), flags=re.IGNORECASE)
    return await office.decisions.withdraw_one(asked.rest, reason, asked.actor)


TOPIC = "approvals"
COMMANDS = (
    TextCommand(
        name="question",
        offers=offers.to_decide,
        group="decisions",
        shape=rf"question\s+(?P<rest>{REF})\s+(?P<said>.+)",
        run=ask,
        usage="AP-7F3K Which invoice is it?",
        place=25,
        acting=True,
        personal=True,
        does="ask who requested it, before you decide",
    ),
    TextCommand(
        name="withdraw",
        offers=offers.requested,
        group="decisions",
        shape=rf"withdraw\s+(?P<rest>{REF}|BA-[0-9A-Za-z]{{4,26}})(?:\s+(?P<said>.+))?",
        run=withdraw,
        usage="AP-7F3K",
        place=26,
        acting=True,
        personal=True,
        does="take back what you asked for",
    ),
)
