"""What is used of every budget and limit now, and how people read it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernel.canonical import canonical
from kernel.store import meters as rows
from rules.engine.metering import PERIODS, since
from rules.engine.meters import Used, number
from rules.engine.policy import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from decimal import Decimal

    from kernel.store import Session
    from kernel.types import Json
    from rules.engine.meters import Meter

LISTED = 30  # rows


@dataclass(frozen=True, kw_only=True)
class Use:
    """What is gone of a meter in one account, in the period that is now."""

    meter: Meter
    account: dict[str, Json]  # for whom it is counted: "person", ... and what differs in "same"
    gone: Used

    @property
    def limit(self) -> Decimal:
        """With what people have raised it by."""
        return self.meter.limit + self.gone.raised

    @property
    def percent(self) -> int:
        """Whole percent of the limit."""
        return int(100 * self.gone.amount / self.limit) if self.limit > 0 else 100

    @property
    def whose(self) -> str:
        """ "ann, EUR"; empty where it is the whole team's."""
        values = [*(self.account[name] for name in self.meter.each), *self.account["same"].values()]
        return ", ".join(str(value) for value in values if value)

    @property
    def unit(self) -> str:
        """Of the amounts."""
        return " USD" if self.meter.kind == "cost" else ""


def uses(session: Session, meters: Iterable[Meter], now: datetime) -> Iterator[Use]:
    """Everything that is counted over an hour, a day or a month; what is counted for a run is kept nowhere."""
    for meter in meters:
        begun = since(meter.per, now)
        if begun is not None:
            yield from _cost(session, meter, now, begun) if meter.kind == "cost" else _counted(session, meter, now)


def _cost(session: Session, meter: Meter, now: datetime, begun: datetime) -> Iterator[Use]:
    for parts, amount in rows.costs(session, begun, meter.each):
        account: dict[str, Json] = {**parts, "same": {}}
        _, raised = rows.used(session, meter.key, canonical(account).decode(), f"{now:{PERIODS[meter.per]}}")
        yield Use(meter=meter, account=account, gone=Used(amount=amount, raised=raised))


def _counted(session: Session, meter: Meter, now: datetime) -> Iterator[Use]:
    period = f"{now:{PERIODS[meter.per]}}"
    for row in rows.in_use(session, meter.key):
        if row.period == period:
            gone = Used(amount=rows.decimal(row.used), raised=rows.decimal(row.raised))
            yield Use(meter=meter, account=json.loads(row.account), gone=gone)


def listing(session: Session, meters: Iterable[Meter], now: datetime, sees: Callable[[Use], bool]) -> str:
    """Every budget and limit in force with what is used of it in this period, as far as `sees` says. Markdown."""
    known = list(meters)
    if not known:
        return "No rule has a budget or a limit."
    lines: list[str] = []
    for meter in known:
        lines += _lines(meter, [use for use in uses(session, [meter], now) if sees(use)])
    more = [f"- and {len(lines) - LISTED} more"] if len(lines) > LISTED else []
    return "\n".join(["Budgets and limits, in this period:", *lines[:LISTED], *more])


def _lines(meter: Meter, found: list[Use]) -> list[str]:
    head = f"- `{meter.rule or 'bosun.yaml'}`: {meter.in_words()}{_beyond(meter)}"
    if meter.per == "run":
        return [f"{head}, counted as it is needed"]
    return [f"{head}: {_told(use)}" for use in found] or [f"{head}: nothing is used"]


def _beyond(meter: Meter) -> str:
    """What happens beyond it, as the end of a sentence."""
    if meter.opens:
        raised = f", and where they deny, {listed(meter.owner)} may raise it" if meter.owner else ""
        return f"; beyond it the other rules decide{raised}"
    return f"; {listed(meter.owner)} may raise it" if meter.owner else ""


def _told(use: Use) -> str:
    whose = f" for {use.whose}" if use.whose else ""
    return f"{number(use.gone.amount)} of {number(use.limit)}{use.unit} is used{whose}"
