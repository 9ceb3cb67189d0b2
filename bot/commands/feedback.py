"""`feedback`: what people said of answers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.engine.sight import may_see
from bot.engine.text_command import TextCommand
from kernel.store import feedback
from workflows.engine import helped

if TYPE_CHECKING:
    from bot.engine.text_command import Asked, Office

DAYS, LONGEST, LISTED = 30, 365, 15  # days back, at most so many, and answers that are listed


async def run(asked: Asked, office: Office) -> str:
    """How many answers helped, by agent; and of those that did not, what was wrong, where this person can read it."""
    days = min(int(asked.words.get("days") or DAYS), LONGEST) or DAYS
    now, principal = office.clock.now(), office.directory.principal
    found = await office.store.read(
        lambda session: feedback.lately(session, now - timedelta(days=days), now, principal)
    )
    mine = [one for one in found if may_see(office.directory, asked.person, one[0])]
    counted = found if asked.person.can_decide else mine
    if not counted:
        return (
            f"Nobody has said in the last {days} days whether an answer helped. The two thumbs below answers do that."
        )
    agents = office.charter().roster.agents
    lines = helped.by_agent(counted, lambda name: agents[name].shown if name in agents else name)

    def ref(one: feedback.Said) -> str:
        where = one[0].where
        url = office.home.link(where) if where.platform == asked.place.platform else ""
        return f"[{one[0].ref}]({url})" if url else one[0].ref

    bad = helped.not_helped(mine, ref)
    parts = [f"**{helped.share(counted)}**, in {days} days", "\n".join(f"- {line}" for line in lines)]
    if bad:
        more = [f"- and {len(bad) - LISTED} more"] if len(bad) > LISTED else []
        parts.append("\n".join(["**What did not help**", "", *(f"- {line}" for line in bad[:LISTED]), *more]))
    hidden = sum(not said.helpful for _, said in counted) - len(bad)
    if hidden:
        parts.append(f"{hidden} more did not help where you cannot read.")
    return "\n\n".join(parts)


COMMANDS = (
    TextCommand(
        name="feedback",
        shape=r"feedback(?:\s+(?P<days>[0-9]{1,3})\s*(?:days?|d)?)?",
        run=run,
        usage="7 days",
        place=31,
        personal=True,
        does="see which answers helped, and what was wrong with the others",
    ),
)
