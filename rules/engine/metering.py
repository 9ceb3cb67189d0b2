"""Counting what budgets and limits allow: what is used when a call is judged, and taking it when the call begins.

A decision sees what is used in its facts. What the call uses is taken in the transaction that begins it, in one
statement that fits or does not: calls at the same time cannot overspend. A call that fails gives it back. Of what the
model may cost, a call that begins keeps free what the answer that follows it may cost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from kernel import ledger
from kernel.store import meters as rows
from kernel.store import outbox
from kernel.types import Text
from rules.engine.decide import charges
from rules.engine.meters import Used, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.store import Session
    from kernel.types import Place
    from rules.engine.decide import Verdict
    from rules.engine.facts import CallFacts
    from rules.engine.meter_words import Period
    from rules.engine.meters import Meter
    from rules.engine.ruleset import RuleSet
    from rules.engine.services import Services

MOST = Decimal("0.8")  # of a budget or limit: when people are told
PERIODS = {"hour": "%Y-%m-%dT%H", "day": "%Y-%m-%d", "month": "%Y-%m"}


class OverspentError(Exception):
    """Another call was faster, and what is left does not suffice: the call is judged again."""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """The account and the period of a meter that a call falls into."""

    meter: Meter
    account: str
    period: str


class Metering:
    """`surroundings.Source` of what is used."""

    def concerns(self, rules: RuleSet, facts: CallFacts) -> bool:
        """Whether a rule for this call has a budget or a limit."""
        return bool(rules.meters(facts.agent, facts.tool, facts.effect))

    def known(self, session: Session, rules: RuleSet, facts: CallFacts) -> Mapping[str, object]:
        """What is used of each of them, where the account and the period are known."""
        found = (counted(meter, facts) for meter in rules.meters(facts.agent, facts.tool, facts.effect))
        return {"used": {each.meter.key: gone(session, each, facts) for each in found if each is not None}}


def counted(meter: Meter, facts: CallFacts) -> Counted | None:
    """Where the call is counted; None where that is not known."""
    account, period = meter.account(facts), _period(meter, facts)
    return None if account is None or period is None else Counted(meter=meter, account=account, period=period)


def used(session: Session, each: Counted, facts: CallFacts) -> Used:
    """What is gone of the meter there."""
    amount, raised = rows.used(session, each.meter.key, each.account, each.period)
    if each.meter.kind == "cost":
        amount = rows.cost(session, since(each.meter.per, facts.now), scopes(each.meter, facts))
    return Used(amount=amount, raised=raised)


def gone(session: Session, each: Counted, facts: CallFacts) -> Used:
    """The same with what is kept free: for answers of the model in other runs, and for the next one in this run."""
    known = used(session, each, facts)
    if each.meter.kind != "cost":
        return known
    kept = under_way(session, each, facts) + Decimal(str(facts.next_answer_usd))
    return Used(amount=known.amount + kept, raised=known.raised)


def under_way(session: Session, each: Counted, facts: CallFacts) -> Decimal:
    """What the answers of models that are under way in other runs may cost."""
    begun, of = since(each.meter.per, facts.now), scopes(each.meter, facts)
    own = rows.reserved(session, begun, {**of, "run_id": facts.run or ""})
    return rows.reserved(session, begun, of) - own


def take(  # noqa: PLR0917  what a charge consists of
    session: Session,
    services: Services,
    call_id: str,
    verdict: Verdict,
    facts: CallFacts,
    place: Place,
) -> None:
    """Take what the call uses of the meters of the rules that decided. OverspentError where it does not fit any more.

    Part of the transaction that begins the call. Who owns a meter is told once most of it is gone.
    """
    rules = services.rules.current
    for charge in sorted(charges(rules, verdict, facts), key=lambda charge: charge.meter.key):
        each = counted(charge.meter, facts)
        if each is None:
            raise OverspentError
        fits = rows.reserve(
            session, call_id, each.meter.key, each.account, each.period, charge.amount, charge.meter.limit
        )
        if not fits:
            raise OverspentError
    meters = [meter for meter in rules.meters(facts.agent, facts.tool, facts.effect) if meter.rule in verdict.rules]
    _keep_free(session, services, [meter for meter in meters if meter.kind == "cost"], facts)
    for meter in meters:
        each = counted(meter, facts)
        if each is not None:
            tell_most_is_gone(session, services, each, used(session, each, facts), place)


def _keep_free(session: Session, services: Services, costs: list[Meter], facts: CallFacts) -> None:
    """Keep free what the model's next answer in the run may cost. OverspentError where it does not fit any more.

    Whoever asks about the same account waits, in one order, until the transaction ends.
    """
    for meter in sorted(costs, key=lambda meter: meter.key):
        each = counted(meter, facts)
        if each is None:
            raise OverspentError
        rows.hold(session, meter.key, each.account, each.period)
        if not meter.fits(replace(facts, used={meter.key: gone(session, each, facts)})):
            raise OverspentError
    if costs and facts.next_answer_usd > 0:
        rows.reserve_cost(
            session,
            services.clock.now(),
            Decimal(str(facts.next_answer_usd)),
            facts.run or "",
            agent=facts.agent,
            person=facts.requester or "",
            channel=facts.channel or "",
            workflow=facts.workflow or "",
        )


def give_back(session: Session, call_id: str) -> None:
    """The call failed, so it has used nothing."""
    rows.give_back(session, call_id)


def tell_most_is_gone(session: Session, services: Services, each: Counted, gone: Used, place: Place) -> None:
    """Say once, where it was used and where the team reads of decisions, that most of the meter is gone."""
    limit = each.meter.limit + gone.raised
    if gone.amount < limit * MOST or not rows.notice(session, each.meter.key, each.account, each.period):
        return
    now = services.clock.now()
    body = {"used": number(gone.amount), "limit": number(limit), "account": each.account, "period": each.period}
    ledger.append(session, now, "budget.notice", each.meter.key, body)
    text = notice(each, gone)
    home = services.directory.channel(services.fallback_channel, place.platform, place.tenant)
    places = {one.lane: one for one in (place, home) if one is not None}
    for one in places.values():
        outbox.put(session, services.ids.new(), one, Text(markdown=text), now)


def notice(each: Counted, gone: Used) -> str:
    """What people are told once most of it is gone."""
    limit = each.meter.limit + gone.raised
    share = int(gone.amount * 100 / limit)
    unit = " USD" if each.meter.kind == "cost" else ""
    return (
        f"**{share} % of {each.meter.in_words(number(limit))} is used**: {number(gone.amount)}{unit} "
        f"({each.meter.stands_in}). Nothing goes beyond it without a decision."
    )


def _period(meter: Meter, facts: CallFacts) -> str | None:
    if meter.per == "run":
        return facts.run
    return None if facts.now is None else f"{facts.now:{PERIODS[meter.per]}}"


def since(per: Period, now: datetime | None) -> datetime | None:
    """When the period that `now` is in began; None for a run."""
    if per == "run" or now is None:
        return None
    hour = now.replace(minute=0, second=0, microsecond=0)
    if per == "hour":
        return hour
    day = hour.replace(hour=0)
    return day if per == "day" else day - timedelta(days=day.day - 1)


def scopes(meter: Meter, facts: CallFacts) -> dict[str, str]:
    """Whose model costs are counted."""
    known = {
        "agent": facts.agent,
        "person": facts.requester or "",
        "channel": facts.channel or "",
        "workflow": facts.workflow or "",
    }
    found = {str(scope): known[scope] for scope in meter.each}
    return {**found, "run_id": facts.run or ""} if meter.per == "run" else found
