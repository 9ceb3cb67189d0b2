"""What is used of every budget and limit now, as people read it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kernel.store import meters as rows
from rules.engine.metering import PERIODS
from rules.engine.meters import meters_of, number
from rules.engine.policy import listed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from kernel.store import Session
    from rules.engine.meters import Meter
    from rules.engine.ruleset import RuleSet

LISTED = 30  # rows


def listing(session: Session, rules: RuleSet, now: datetime) -> str:
    """Every budget and limit of the rules in force with what is used of it in this period. Markdown."""
    meters = [meter for rule in rules.rules for meter in meters_of(rule)]
    if not meters:
        return "No rule has a budget or a limit."
    lines = [line for meter in meters for line in _lines(session, meter, now)]
    more = [f"- and {len(lines) - LISTED} more"] if len(lines) > LISTED else []
    return "\n".join(["Budgets and limits, in this period:", *lines[:LISTED], *more])


def _lines(session: Session, meter: Meter, now: datetime) -> Iterator[str]:
    owner = f"; {listed(meter.owner)} may raise it" if meter.owner else ""
    head = f"- `{meter.rule}`: {meter.in_words()}{owner}"
    if meter.per == "run" or meter.kind == "cost":
        yield f"{head}, counted as it is needed"
        return
    period = f"{now:{PERIODS[meter.per]}}"
    found = [row for row in rows.in_use(session, meter.key) if row.period == period]
    if not found:
        yield f"{head}: nothing is used"
    for row in found:
        limit = meter.limit + rows.decimal(row.raised)
        yield f"{head}: {number(rows.decimal(row.used))} of {number(limit)} is used{_account(row.account)}"


def _account(account: str) -> str:
    """ " for ann, EUR"."""
    known = json.loads(account)
    same = known.pop("same")
    values = [str(value) for value in (*known.values(), *same.values())]
    return f" for {', '.join(values)}" if values else ""
