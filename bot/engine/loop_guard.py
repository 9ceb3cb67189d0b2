"""Two bots that answer each other would never stop, and whoever asks without end would keep all others waiting."""

from __future__ import annotations

import logging
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

from kernel.store import bot_turns, inbox
from kernel.store.bot_turns import BotTurn

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from kernel.clock import Clock, Ids
    from kernel.store import Session, Store
    from kernel.types import Actor, Person, Place

PAIR = 20  # messages of one bot within a minute; then it is not answered for another minute
THREAD = 50  # messages of one bot in one thread within a day
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
REMEMBERED = 1000  # people

log = logging.getLogger(__name__)


class LoopGuard:
    """The budgets of every bot, in the database, and of every person, in the memory of this process.

    `requests`: how many requests of one person within a minute are taken; then none for another minute.
    """

    def __init__(self, clock: Clock, ids: Ids, requests: Callable[[], int]) -> None:
        self.clock = clock
        self.ids = ids
        self.requests = requests
        self.pair = PAIR
        self.thread = THREAD
        self._asked: dict[str, deque[datetime]] = {}
        self._silent: dict[str, datetime] = {}  # person -> until when

    def lets(self, session: Session, actor: Actor, place: Place) -> bool:
        """Whether this message of a bot is answered; counts it, for all processes and those that follow."""
        bot, now = actor.account, self.clock.now()
        turn = BotTurn(id=self.ids.new(), bot=bot, thread=f"{place.lane} {place.thread}", at=now)
        if bot_turns.refused(session, bot, now - MINUTE):
            return False
        if bot_turns.answered(session, bot, now - MINUTE) >= self.pair:
            turn.refused = True
            log.warning("%s wrote more than %d times within a minute and is not answered for one", bot, self.pair)
        elif bot_turns.answered(session, bot, now - DAY, turn.thread) >= self.thread:
            log.warning("%s wrote more than %d times in one thread and is left alone there", bot, self.thread)
            return False
        bot_turns.note(session, turn, forget=now - DAY)
        return not turn.refused

    async def remember(self, store: Store, person: Callable[[Actor], Person]) -> None:
        """At start: what people asked for within the last minutes counts, whichever process took it."""
        since = self.clock.now() - 2 * MINUTE
        for row in await store.read(lambda session: inbox.received(session, since)):
            inbound = row.inbound
            if row.run_id is not None and not (inbound.actor.is_bot or inbound.caught_up):
                self.has_turn(person(inbound.actor), row.received_at)

    def has_turn(self, person: Person, at: datetime | None = None) -> bool:
        """Whether this request of a person is taken; counts it. `at`: when it came, where that is over."""
        now = at or self.clock.now()
        if self._silent.get(person.id, now) > now:
            return False
        most = self.requests()
        if self._over(person.id, most, now):
            self._silent = {one: until for one, until in self._silent.items() if until > now}
            self._silent[person.id] = now + MINUTE
            log.warning("%s asked more than %d times within a minute and has to wait for one", person.id, most)
            return False
        return True

    def _over(self, person: str, most: int, now: datetime) -> bool:
        asked = self._asked.pop(person, deque())
        self._asked[person] = asked  # the one that was heard last stands last
        while len(self._asked) > REMEMBERED:
            del self._asked[next(iter(self._asked))]
        while asked and asked[0] <= now - MINUTE:
            asked.popleft()
        if len(asked) >= most:
            return True
        asked.append(now)
        return False
