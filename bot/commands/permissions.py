"""`grant`, `grants`, `revoke`: standing permissions without the buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine import offers
from bot.engine.text_command import TextCommand

if TYPE_CHECKING:
    from bot.engine.text_command import Asked, Office


async def grant(asked: Asked, office: Office) -> str:
    """Approve the current revision, and allow further calls like it."""
    fields = {"calls": asked.words["calls"], "lasts": asked.words["lasts"]}
    return await office.decisions.grant(asked.rest, None, fields, asked.actor)


async def listing(_asked: Asked, office: Office) -> str:
    """What may be done without asking."""
    return await office.permissions.listed()


async def revoke(asked: Asked, office: Office) -> str:
    """End a permission."""
    return await office.permissions.revoke(asked.rest, asked.person, asked.actor)


TOPIC = "approvals"
COMMANDS = (
    TextCommand(
        name="grant",
        offers=offers.to_grant,
        group="decisions",
        shape=r"grant\s+(?P<rest>AP-[0-9A-Za-z]{4,26})\s+(?P<calls>\d{1,4})(?:\s+times)?\s+(?:for|within)\s+(?P<lasts>\d+[smhd])",
        run=grant,
        usage="AP-7F3K 5 times for 7d",
        place=22,
        acting=True,
        personal=True,
        does="approve, and allow more calls like it",
    ),
    TextCommand(
        name="grants",
        group="decisions",
        shape="grants",
        run=listing,
        place=23,
        personal=True,
        does="see what is allowed without asking",
    ),
    TextCommand(
        name="revoke",
        offers=offers.permissions,
        group="decisions",
        shape=r"revoke\s+(?P<rest>G-[0-9A-Za-z]{4,26})",
        run=revoke,
        usage="G-7F3K",
        place=23,
        acting=True,
        personal=True,
        does="end a standing permission",
    ),
)
