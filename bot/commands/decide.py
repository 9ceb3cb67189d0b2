"""`approvals`, `approve`, `reject`, `break glass`, `why`: decisions without the buttons."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.engine import offers
from bot.engine.sight import reading_in
from bot.engine.text_command import REF, TextCommand

if TYPE_CHECKING:
    from bot.engine.text_command import Asked, Office
    from kernel.types import Text


async def waiting(asked: Asked, office: Office) -> Text:
    """What waits for whoever asks."""
    return await office.decisions.waiting(asked.person, asked.actor)


async def approve(asked: Asked, office: Office) -> str:
    """Approve the current revision."""
    return await _decide("approve", asked, office)


async def reject(asked: Asked, office: Office) -> str:
    """Reject the current revision."""
    return await _decide("reject", asked, office)


async def break_glass(asked: Asked, office: Office) -> str:
    """Approve alone, in an emergency."""
    return await _decide("break_glass", asked, office)


async def why(asked: Asked, office: Office) -> str:
    """Why it was asked, what became of it, and the receipt."""
    can_read = reading_in(asked.place, office.directory, asked.person)
    return await office.decisions.why(asked.rest.upper(), asked.person, reads=can_read)


async def _decide(verb: str, asked: Asked, office: Office) -> str:
    ref, _, words = asked.rest.partition(" ")
    words = re.sub(r"^\s*because\b:?\s*", "", words, flags=re.IGNORECASE).strip()
    return await office.decisions.decide(ref.upper(), verb, asked.actor, words, asked.inbound.key)


TOPIC = "approvals"
COMMANDS = (
    TextCommand(
        name="approvals",
        shape=r"approvals|(?:show(?: me)? )?what (?:needs my (?:approval|decision)|(?:waits|is waiting) for me)\??",
        run=waiting,
        place=20,
        personal=True,
        does="see what waits for you",
    ),
    TextCommand(
        name="approve",
        offers=offers.to_decide,
        shape=rf"approve\s+(?P<rest>{REF}(?:\s+.+)?)",
        run=approve,
        usage="AP-7F3K",
        place=21,
        acting=True,
        personal=True,
        does="approve without the button",
    ),
    TextCommand(
        name="reject",
        offers=offers.to_decide,
        shape=rf"reject\s+(?P<rest>{REF}(?:\s+.+)?)",
        run=reject,
        usage="AP-7F3K because ...",
        place=22,
        acting=True,
        personal=True,
        does="reject without the button, with a reason",
    ),
    TextCommand(
        name="break",
        phrase="break glass",
        offers=offers.to_decide,
        group="decisions",
        shape=rf"break\s+glass\s+(?P<rest>{REF}(?:\s+.+)?)",
        run=break_glass,
        usage="AP-7F3K because ...",
        place=22,
        acting=True,
        personal=True,
        does="approve alone in an emergency, where a rule lets you",
    ),
    TextCommand(
        name="why",
        offers=offers.to_decide,
        shape=rf"why\s+(?P<rest>{REF})",
        run=why,
        usage="AP-7F3K",
        place=23,
        does="see why I asked, who allowed what, and the receipt",
    ),
)
