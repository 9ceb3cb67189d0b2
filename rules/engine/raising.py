"""Raising a budget or a limit that a call would go beyond: those who own it are asked in the thread.

The approval is about exactly this call, as every other one. What it approves is that the limit is higher by so much in
this period; the call is judged again then, by the rules with the higher limit.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from kernel import ledger
from kernel.store import meters as rows
from kernel.store.approvals import ApprovalState
from kernel.types import Fact
from rules.engine.metering import counted
from rules.engine.meters import number
from rules.engine.policy import Group, Policy, listed
from rules.engine.preview import literal
from rules.engine.record import Preview

if TYPE_CHECKING:
    from kernel.store import Session
    from rules.engine.facts import CallFacts
    from rules.engine.judging import Judged
    from rules.engine.meters import Meter
    from rules.engine.recording import Proposed
    from rules.engine.requests import Requests
    from rules.engine.services import Services

KIND = "raise"  # of the approval
CENT = Decimal("0.01")
PART = Decimal("0.1")  # of the limit: at least so much more is asked for, or every call would ask again


def meter_beyond(services: Services, facts: CallFacts, key: str) -> Meter | None:
    """The meter that stands in the way, if what is missing can be told."""
    rules = services.rules.current
    meters = rules.meters(facts.agent, facts.tool, facts.effect)
    meter = next((meter for meter in meters if meter.key == key), None)
    known = meter is not None and key in facts.used and meter.adds(facts.arguments) is not None
    return meter if known and meter is not None and counted(meter, facts) is not None else None


def ask(session: Session, services: Services, requests: Requests, made: Proposed, judged: Judged) -> ApprovalState:
    """Ask those who own the meter. `judged` was denied because of it."""
    meter = meter_beyond(services, judged.facts, judged.verdict.beyond)
    if meter is None:
        raise LookupError(judged.verdict.beyond)
    more = _missing(meter, judged.facts)
    used, run = judged.facts.used[meter.key], made.run
    unit = " USD" if meter.kind == "cost" else " calls" if meter.kind == "calls" else ""
    limit = meter.limit + used.raised
    preview = Preview(
        headline=f"Raise {meter.in_words(number(limit))} by {number(more)}{unit}"[:120],
        facts=(
            Fact(label="Used", value=f"{number(used.amount)}{unit} of {number(limit)}"),
            Fact(label="For", value=f"{judged.tool.name}, by {run.agent}"),
        ),
        payloads=(literal(judged.arguments),),
        effect=judged.tool.effect,
        requester=run.requester.name,
        run=run.ref,
        place=run.place,
        channel=run.channel_name,
        nearest=f"{meter.told(judged.facts)[0].upper()}{meter.told(judged.facts)[1:]}.",
    )
    return requests.put(
        session,
        run,
        preview,
        policy_of(services, meter),
        call_id=made.id,
        kind=KIND,
        tool=judged.tool.name,
        arguments=judged.arguments,
        digest=judged.digest,
        origins=judged.facts.origins,
        rules={"ids": list(judged.verdict.rules), "version": judged.verdict.version, "raise": _told(meter, more)},
        reason=judged.verdict.reason,
    )


def apply(session: Session, services: Services, row: ApprovalState, facts: CallFacts) -> None:
    """Raise what `row` approves, in the account and the period in which the call is now."""
    told = row.rules["raise"]
    rules = services.rules.current
    meters = rules.meters(facts.agent, facts.tool, facts.effect)
    meter = next((meter for meter in meters if meter.key == told["key"]), None)
    each = counted(meter, facts) if meter is not None else None
    if each is None:  # the rules have changed: the call is judged by them as they are
        return
    rows.raise_by(session, each.meter.key, each.account, each.period, Decimal(told["by"]))
    body = {"by": told["by"], "account": each.account, "period": each.period, "approval": row.ref}
    ledger.append(session, services.clock.now(), "budget.raised", each.meter.key, body)


def policy_of(services: Services, meter: Meter) -> Policy:
    """Who decides about raising the meter: its owner, else whoever decides where no rule says who."""
    if not meter.owner:
        return services.rules.current.fallback
    return Policy(groups=(Group(who=meter.owner),))


def owners(services: Services, meter: Meter) -> str:
    """ "finance or admin"."""
    return listed(policy_of(services, meter).roles)


def _missing(meter: Meter, facts: CallFacts) -> Decimal:
    used, added = facts.used[meter.key], meter.adds(facts.arguments) or Decimal(0)
    lacking = used.amount + added - meter.limit - used.raised
    if meter.kind == "cost":  # what is used has to stay below it
        lacking = lacking.quantize(CENT, rounding=ROUND_FLOOR) + CENT
    part = (meter.limit * PART).to_integral_value() if meter.limit >= 10 else meter.limit * PART
    return max(lacking, part if meter.kind != "calls" else max(part, Decimal(1)))


def _told(meter: Meter, more: Decimal) -> dict[str, str]:
    return {"key": meter.key, "by": str(more)}
