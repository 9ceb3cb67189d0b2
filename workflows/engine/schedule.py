"""Which firings are due: the whole decision as a pure function of trigger, policy and two times."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from workflows.engine.cron import Cron, Fire

Missed = Literal["skip", "once", "all"]

GRACE = timedelta(minutes=2)  # a firing this late is on time: a busy machine, a wake-up every 30 seconds


@dataclass(frozen=True, kw_only=True)
class Due:
    """What to do now."""

    fires: tuple[Fire, ...]  # each becomes a run, in order
    skipped: int  # firings that the policy leaves out
    last_fire: datetime  # everything up to here is dealt with


def due(cron: Cron, last_fire: datetime, now: datetime, missed: Missed, at_most: int = 10) -> Due:
    """The firings in (last_fire, now] that become runs.

    On time are those not older than GRACE. Of the older ones `skip` runs none, `once` the latest unless
    there is one on time, `all` the latest `at_most`.
    """
    keep = {"skip": 0, "once": 1, "all": at_most}[missed]
    late: deque[Fire] = deque(maxlen=keep)
    on_time: list[Fire] = []
    count, newest = 0, last_fire
    for fire in cron.fires(last_fire, now):
        count, newest = count + 1, fire.at
        (on_time if fire.at >= now - GRACE else late).append(fire)
    if missed == "once" and on_time:
        late.clear()
    fires = (*late, *on_time)
    return Due(fires=fires, skipped=count - len(fires), last_fire=newest)
