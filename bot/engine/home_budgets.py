"""What of budgets and limits a person may see: the team's, their own, those of channels that they read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.engine.home_view import BudgetUse
from kernel.store import meters as rows
from rules.engine.metering import PERIODS
from rules.engine.meters import meters_of, number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from bot.engine.directory import TeamDirectory
    from kernel.store import Session
    from kernel.types import Json, Person
    from rules.engine.meters import Meter
    from rules.engine.ruleset import RuleSet


@dataclass(frozen=True, kw_only=True)
class Eyes:
    """Who looks."""

    person: Person
    roles: frozenset[str]  # that the person is known to hold now
    directory: TeamDirectory

    def sees(self, meter: Meter, account: dict[str, Json]) -> bool:
        """Owners and administrators see all of it; others not what a call was about, nor other people's."""
        if self.roles & {"admin", *meter.owner}:
            return True
        if account["same"]:
            return False
        if "person" in account and self.directory.principal(str(account["person"])) != self.person.id:
            return False
        if "channel" in account:
            readers = self.directory.readers(str(account["channel"]))
            return readers is None or self.person.id in readers
        return True


def budgets(session: Session, rules: RuleSet, now: datetime, eyes: Eyes, most: int) -> tuple[BudgetUse, ...]:
    """What is used in this period, where it is most used first."""
    found = [use for rule in rules.rules for meter in meters_of(rule) for use in _uses(session, meter, now, eyes)]
    return tuple(sorted(found, key=lambda use: -use.percent)[:most])


def _uses(session: Session, meter: Meter, now: datetime, eyes: Eyes) -> Iterator[BudgetUse]:
    if meter.per == "run" or meter.kind == "cost":
        return  # counted when it is needed, not kept
    period = f"{now:{PERIODS[meter.per]}}"
    for row in rows.in_use(session, meter.key):
        account = json.loads(row.account)
        if row.period != period or not eyes.sees(meter, account):
            continue
        used, limit = rows.decimal(row.used), meter.limit + rows.decimal(row.raised)
        percent = int(100 * used / limit) if limit > 0 else 100
        whose = [str(value) for value in (*[account[name] for name in meter.each], *account["same"].values())]
        detail = f"{number(used)} of {number(limit)} used, {percent} %" + (f" · {', '.join(whose)}" if whose else "")
        yield BudgetUse(title=f"{meter.rule}: {meter.in_words()}", detail=detail, percent=percent)
