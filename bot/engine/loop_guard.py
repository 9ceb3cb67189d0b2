"""Two bots that answer each other would never stop: how often another bot is answered before Bosun falls silent."""

from __future__ import annotations

import logging
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from kernel.clock import Clock
    from kernel.types import Actor, Place

PAIR = 20  # messages of one bot within a minute; then it is not answered for another minute
THREAD = 50  # messages of one bot in one thread within a day
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
REMEMBERED = 1000  # bots and threads

log = logging.getLogger(__name__)


class LoopGuard:
    """The budgets of every other bot, in the memory of this process: after a restart they begin anew."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.pair = PAIR
        self.thread = THREAD
        self._said: dict[str, deque[datetime]] = {}
        self._silent: dict[str, datetime] = {}  # bot -> until when

    def lets(self, actor: Actor, place: Place) -> bool:
        """Whether this message of a bot is answered; counts it."""
        bot, now = actor.account, self.clock.now()
        if self._silent.get(bot, now) > now:
            return False
        here = f"{bot} {place.lane} {place.thread}"
        if self._over(bot, self.pair, MINUTE, now):
            self._silent[bot] = now + MINUTE
            log.warning("%s wrote more than %d times within a minute and is not answered for one", bot, self.pair)
            return False
        if self._over(here, self.thread, DAY, now):
            log.warning("%s wrote more than %d times in one thread and is left alone there", bot, self.thread)
            return False
        return True

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
