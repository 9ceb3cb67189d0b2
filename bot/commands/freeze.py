"""`freeze`, `thaw`, `frozen`: everything, an agent, a tool or a channel stands still until a person says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine import offers
from bot.engine.text_command import TextCommand

if TYPE_CHECKING:
    from bot.engine.text_command import Asked, Office

TARGET = r"(?:agent|tool)\s+[\w.-]+|channel\s+#?[\w-]+|#?[\w.-]+"


async def freeze(asked: Asked, office: Office) -> str:
    """Freeze what was named; everything where nothing was."""
    reason = asked.words.get("reason", "")
    return await office.freezer.freeze(asked.rest, reason, asked.person, asked.actor, asked.place)


async def thaw(asked: Asked, office: Office) -> str:
    """Thaw what was named."""
    return await office.freezer.thaw(asked.rest, asked.person, asked.actor, asked.place)


async def listing(_asked: Asked, office: Office) -> str:
    """What is frozen."""
    return await office.freezer.listing()


TOPIC = "rules"
COMMANDS = (
    TextCommand(
        name="freeze",
        offers=offers.freezable,
        shape=rf"freeze(?:\s+(?P<rest>{TARGET}))?(?:\s*[,:;]?\s*because:?\s+(?P<reason>.+))?",
        run=freeze,
        usage="agent ops because ...",
        place=40,
        acting=True,
        does="have everything, an agent, a tool or a #channel stand still",
    ),
    TextCommand(
        name="thaw",
        offers=offers.frozen,
        shape=rf"thaw(?:\s+(?P<rest>{TARGET}))?",
        run=thaw,
        usage="agent ops",
        place=41,
        acting=True,
        does="let what is frozen go on",
    ),
    TextCommand(name="frozen", group="rights", shape="frozen", run=listing, place=42, does="see what is frozen"),
)
