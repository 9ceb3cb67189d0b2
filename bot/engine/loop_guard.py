"""Two bots that answer each other would never stop, and whoever asks without end would keep all others waiting."""

from __future__ import annotations

import logging
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from kernel.clock import Clock
    from kernel.types import Actor, Person, Place

PAIR = 20  # messages of one bot within a minute; then it is not answered for another minute
THREAD = 50  # messages of one bot in one thread within a day
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
REMEMBERED = 1000  # bots, people and threads

log = logging.getLogger(__name__)


class LoopGuard:
    """The budgets of every bot and person, in the memory of this process: after a restart they begin anew.

    `requests`: how many requests of one person within a minute are taken; then none for another minute.
    """

    def __init__(self, clock: Clock, requests: Callable[[], int]) -> None:
        self.clock = clock
        self.requests = requests
        self.pair = PAIR
        self.thread = THREAD
        self._said: dict[str, deque[datetime]] = {}
        self._silent: dict[str, datetime] = {}  # bot -> until when

    def lets(self, actor: Actor, place: Place) -> bool:
        """Whether this message of a bot is answered; counts it."""
        bot, now = actor.account, self.clock.now()
        if self._is_silent(bot, now):
            return False
        here = f"{bot} {place.lane} {place.thread}"
        if self._over(bot, self.pair, MINUTE, now):
            self._keep_silent(bot, now)
            log.warning("%s wrote more than %d times within a minute and is not answered for one", bot, self.pair)
            return False
        if self._over(here, self.thread, DAY, now):
            log.warning("%s wrote more than %d times in one thread and is left alone there", bot, self.thread)
            return False
        return True

    def has_turn(self, person: Person) -> bool:
        """Whether this request of a person is taken; counts it."""
        now = self.clock.now()
        if self._is_silent(person.id, now):
            return False
        most = self.requests()
        if self._over(person.id, most, MINUTE, now):
            self._keep_silent(person.id, now)
            log.warning("%s asked more than %d times within a minute and has to wait for one", person.id, most)
            return False
        return True

    def _is_silent(self, key: str, now: datetime) -> bool:
        return self._silent.get(key, now) > now

    def _keep_silent(self, key: str, now: datetime) -> None:
        self._silent = {one: until for one, until in self._silent.items() if until > now}
        self._silent[key] = now + MINUTE

    def _over(self, key: str, most: int, within: timedelta, now: datetime) -> bool:
        said = self._said.pop(key, deque())
        self._said[key] = said  # the one that was heard last stands last
        while len(self._said) > REMEMBERED:
            del self._said[next(iter(self._said))]
        while said and said[0] <= now - within:
            said.popleft()
        if len(said) >= most:
            return True
        said.append(now)
        return False
