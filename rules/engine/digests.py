"""What waits for a person, told in one message: each day, and where more came in an hour than they are sent."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from kernel.store import told
from kernel.types import Action, Text
from rules.engine import mailing, wording
from rules.engine.quiet import quiet_until

if TYPE_CHECKING:
    from datetime import datetime

    from kernel.store import Session
    from kernel.types import Person
    from rules.engine.explaining import Explaining, Waiting
    from rules.engine.services import Services

SHOWN = 10  # approvals in one message
BUTTONS = 4  # of them
WINDOW = 3  # hours of the morning in which the daily digest is sent
SETTLED = timedelta(hours=1)  # what was asked later than this stands on its own card
COLLECT = timedelta(minutes=15)  # what is held back waits for more of it
APART = timedelta(hours=1)  # between two messages about what was held back


class Digests:
    """Writes the digests that are due."""

    def __init__(self, services: Services, explaining: Explaining) -> None:
        self.services = services
        self._explaining = explaining

    async def run_due(self, now: datetime) -> int:
        """Send what is due; returns how many messages. Safe to call anywhere, any number of times."""
        return await self._held_back(now) + await self._daily(now)

    async def _held_back(self, now: datetime) -> int:
        held = await self.services.store.read(lambda session: told.held(session, now - COLLECT))
        sent = 0
        for person_id, about in held.items():
            person = self.services.directory.by_id(person_id)
            if person is None or quiet_until(person, now) is not None:
                continue
            found = await self._explaining.waiting_for(person, None, 500)
            key = f"hour-{now:%Y%m%dT%H}"
            sent += await self._send(person, key, found, now, about)
        return sent

    async def _daily(self, now: datetime) -> int:
        sent = 0
        for person in self.services.directory.everybody():
            local = now.astimezone(ZoneInfo(person.time_zone or "UTC"))
            begin = self.services.digest_hour
            if not (begin <= local.hour < begin + WINDOW and person.can_decide):
                continue
            if quiet_until(person, now) is not None:
                continue
            key = f"day-{local:%Y-%m-%d}"
            if await self._is_told(person, key):
                continue
            found = [
                one for one in await self._explaining.waiting_for(person, None, 500) if now - one.asked_at > SETTLED
            ]
            sent += await self._send(person, key, found, now, [])
        return sent

    async def _is_told(self, person: Person, key: str) -> bool:
        return (
            await self.services.store.read(lambda session: told.last(session, person.id, key, told.DIGEST)) is not None
        )

    async def _send(self, person: Person, key: str, found: list[Waiting], now: datetime, held: list[str]) -> bool:
        actor = self.services.directory.reach(person)

        def write(session: Session) -> bool:
            if not told.add(session, person.id, key, told.DIGEST, now):
                return False
            told.release(session, person.id, held, now)
            if not found or actor is None:
                return False
            return mailing.put(session, f"digest-{person.id}-{key}", actor, body(found), now)

        return await self.services.store.write(write)


def body(found: list[Waiting]) -> Text:
    """What waits, oldest first, with buttons that show the cards."""
    if not found:
        return Text(markdown="Nothing waits for you.")
    lines = [f"- **{one.ref}** {wording.plain_markdown(one.headline)} · {one.state}" for one in found[:SHOWN]]
    more = f"\n\nAnd {len(found) - SHOWN} more; decide some of these first." if len(found) > SHOWN else ""
    cards: dict[str, list[Waiting]] = {}
    for one in found:
        cards.setdefault(one.batch or one.ref, []).append(one)
    actions = [_review(on_card) for on_card in list(cards.values())[:BUTTONS]]
    return Text(
        markdown="Waiting for you:\n\n"
        + "\n".join(lines)
        + more
        + "\n\nSay `approve AP-…` or `reject AP-… because …`, or look at a card:",
        actions=tuple(actions),
    )


def _review(on_card: list[Waiting]) -> Action:
    """Shows the card that they stand on; the only one of a card of several, its own."""
    one = on_card[0]
    ref = one.batch if len(on_card) > 1 else one.ref
    return Action(subject=ref, revision=one.revision, verb="review", label=f"Review {ref}")
