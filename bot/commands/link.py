"""`link`, `unlink`, `links`: one's accounts on several platforms as one person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine import offers
from bot.engine.text_command import TextCommand

if TYPE_CHECKING:
    from bot.engine.text_command import Asked, Office


async def link(asked: Asked, office: Office) -> str:
    """Give a code out, say whose a code is, or redeem it."""
    if not asked.rest:
        return await office.linking.offer(asked.actor, asked.place)
    code, _, yes = asked.rest.partition(" ")
    if yes:
        return await office.linking.redeem(code, asked.actor)
    return await office.linking.look(code, asked.actor)


async def unlink(asked: Asked, office: Office) -> str:
    """Unlink what was named, or the account that is used."""
    return await office.linking.unlink(asked.rest.lower(), asked.person, asked.actor)


async def listing(asked: Asked, office: Office) -> str:
    """What is linked."""
    return await office.linking.listing(asked.person, asked.actor)


TOPIC = "accounts"
COMMANDS = (
    TextCommand(
        name="link",
        shape=r"link(?:\s+(?P<rest>[0-9A-Za-z]{8}(?:\s+yes)?))?",
        run=link,
        usage="7F3K9QXA",
        place=45,
        acting=True,
        personal=True,
        does="link your accounts on two platforms: `link` gives a code, `link CODE` on the other one takes it",
    ),
    TextCommand(
        name="unlink",
        offers=offers.platforms,
        group="accounts",
        shape=r"unlink(?:\s+(?P<rest>slack|discord|web))?",
        run=unlink,
        place=46,
        acting=True,
        personal=True,
        does="end a link",
    ),
    TextCommand(
        name="links",
        group="accounts",
        shape="links",
        run=listing,
        place=47,
        personal=True,
        does="see which accounts are linked",
    ),
)
