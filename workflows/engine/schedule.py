"""Which firings are due: the whole decision as a pure function of timetable, policy and two times."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from workflows.engine.cron import Fire
    from workflows.engine.trigger import Timetable

Missed = Literal["skip", "once", "all"]

GRACE = timedelta(minutes=2)  # a firing this late is on time: a busy machine, a wake-up every 30 seconds


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Firings in a row that the policy leaves out."""

    first: Fire
    last: Fire
    count: int


@dataclass(frozen=True, kw_only=True)
class Due:
    """What to do now."""

    fires: tuple[Fire, ...]  # each becomes a run, in order
    gap: Gap | None  # what is left out: always the oldest
    last_fire: datetime  # everything up to here is dealt with

    @property
    def skipped(self) -> int:
        """How many firings are left out."""
        return self.gap.count if self.gap is not None else 0


def due(  # noqa: PLR0917  the policy, word by word
    table: Timetable,
    last_fire: datetime,
    now: datetime,
    missed: Missed,
    at_most: int = 10,
    latest: timedelta | None = None,
) -> Due:
    """The firings in (last_fire, now] that become runs.

    On time are those not older than GRACE. Of the older ones `skip` runs none, `once` the latest unless
    there is one on time, `all` the latest `at_most`; none that is older than `latest`.
    """
    keep = {"skip": 0, "once": 1, "all": at_most}[missed]
    late: deque[Fire] = deque(maxlen=keep)
    on_time: list[Fire] = []
    seen: list[Fire] = []  # the first firing, and the newest that is left out
    count, newest = 0, last_fire
    oldest = now - latest if latest is not None else None
    out: Fire | None = None
    for fire in table.fires(last_fire, now):
        if not seen:
            seen.append(fire)
        count, newest = count + 1, fire.at
        if fire.at >= now - GRACE:
            on_time.append(fire)
        elif keep and (oldest is None or fire.at >= oldest):
            out = late[0] if len(late) == keep else out
            late.append(fire)
        else:
            out = fire
    if missed == "once" and on_time and late:
        out = late.pop()
    fires = (*late, *on_time)
    gap = Gap(first=seen[0], last=out, count=count - len(fires)) if out is not None else None
    return Due(fires=fires, gap=gap, last_fire=newest)
