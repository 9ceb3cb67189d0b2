"""What of budgets and limits a person may see: the team's, their own, those of channels that they read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.engine.home_view import BudgetUse
from kernel.errors import BosunError
from rules.engine.budget_text import uses
from rules.engine.meters import number

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bot.engine.directory import TeamDirectory
    from kernel.store import Session
    from kernel.types import Actor, Person
    from rules.engine.budget_text import Use
    from rules.engine.meters import Meter


@dataclass(frozen=True, kw_only=True)
class Eyes:
    """Who looks."""

    person: Person
    roles: frozenset[str]  # that the person is known to hold now
    directory: TeamDirectory

    def sees(self, use: Use) -> bool:
        """Owners and administrators see all of it; others not what a call was about, nor other people's."""
        account = use.account
        if self.roles & {"admin", *use.meter.owner}:
            return True
        if account["same"]:
            return False
        if "person" in account and self.directory.principal(str(account["person"])) != self.person.id:
            return False
        if "channel" in account:
            readers = self.directory.readers(str(account["channel"]))
            return readers is None or self.person.id in readers
        return True


async def eyes_of(directory: TeamDirectory, person: Person, actor: Actor | None) -> Eyes:
    """The person with the roles that can be looked up now; the others count for nothing."""
    try:
        roles = await directory.roles_of(person, actor)
    except BosunError:
        roles = frozenset()
    return Eyes(person=person, roles=roles, directory=directory)


def budgets(session: Session, meters: Iterable[Meter], now: datetime, eyes: Eyes, most: int) -> tuple[BudgetUse, ...]:
    """What is used in this period, where it is most used first."""
    found = [shown(use) for use in uses(session, meters, now) if eyes.sees(use)]
    return tuple(sorted(found, key=lambda use: -use.percent)[:most])


def shown(use: Use) -> BudgetUse:
    """The same in words."""
    whose = f" · {use.whose}" if use.whose else ""
    detail = f"{number(use.gone.amount)} of {number(use.limit)}{use.unit} used, {use.percent} %{whose}"
    title = f"{use.meter.rule or 'bosun.yaml'}: {use.meter.in_words()}"
    return BudgetUse(title=title, detail=detail, percent=use.percent)
