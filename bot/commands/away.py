"""`delegate`, `away`, `back`: who decides for somebody who is away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine import absence_words, offers
from bot.engine.text_command import TextCommand

if TYPE_CHECKING:
    from bot.engine.text_command import Asked, Office
    from kernel.people import Away

DATE = r"(?P<until>\d{4}-\d{2}-\d{2})"


async def delegate(asked: Asked, office: Office) -> str:
    """Somebody else decides for whoever says it, until the day on which they are back."""
    stand_in = absence_words.named(asked.words["who"], office.directory.everybody())
    return await absence_words.leave(office.absences, asked.person, stand_in, asked.words["until"])


async def away(asked: Asked, office: Office) -> str:
    """Whoever says it is away and nobody decides for them; without a date: who is away."""
    if "until" not in asked.words:
        return await _listed(office)
    return await absence_words.leave(office.absences, asked.person, None, asked.words["until"])


async def back(asked: Asked, office: Office) -> str:
    """Whoever says it is here again."""
    return await absence_words.come_back(office.absences, asked.person)


async def _listed(office: Office) -> str:
    found = [(office.directory.by_id(one.person), one) for one in (await office.absences.by_person()).values()]
    lines = [
        f"- {person.name} until {absence_words.until_in_words(one, person)}, {_for(office, one)}"
        for person, one in found
        if person
    ]
    return "\n".join(["Away:", "", *lines]) if lines else "Nobody is away."


def _for(office: Office, one: Away) -> str:
    stand_in = office.directory.by_id(one.delegate) if one.delegate else None
    return f"{stand_in.name} decides for them" if stand_in else "nobody decides for them"


TOPIC = "approvals"
COMMANDS = (
    TextCommand(
        name="delegate",
        offers=offers.stand_ins,
        group="decisions",
        shape=rf"delegate\s+(?:to\s+)?(?P<who>.+?)\s+until\s+{DATE}",
        run=delegate,
        usage="to Cy until 2026-12-01",
        place=27,
        acting=True,
        personal=True,
        does="let somebody decide for you while you are away",
    ),
    TextCommand(
        name="away",
        offers=offers.a_week_away,
        group="decisions",
        shape=rf"away(?:\s+until\s+{DATE})?",
        run=away,
        usage="until 2026-12-01",
        place=28,
        acting=True,
        personal=True,
        does="be away without a delegate; `away` alone: see who is",
    ),
    TextCommand(
        name="back",
        group="decisions",
        shape="back",
        run=back,
        place=29,
        acting=True,
        personal=True,
        does="decide for yourself again",
    ),
)
