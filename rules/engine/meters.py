"""Budgets and limits as a decision sees them: what a call adds, to which account, and whether that still fits.

What was used so far comes in with the facts; counting and reserving it is done elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from kernel.canonical import canonical
from rules.engine import values
from rules.engine.conditions import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kernel.types import Json
    from rules.engine.facts import CallFacts
    from rules.engine.language import Rule
    from rules.engine.meter_words import Budget, Counted, Limit, ModelBudget, Period, Scope

Kind = Literal["amount", "cost", "calls"]
NOTHING = Decimal(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Meter:
    """One budget or limit of one rule."""

    key: str  # "small-invoice:budget:0": stays the same when the rule allows more or less
    rule: str  # id; empty: it stands in bosun.yaml
    kind: Kind
    limit: Decimal
    per: Period
    each: tuple[Scope, ...]  # empty: the whole team together
    same: tuple[str, ...]  # arguments that are counted apart
    argument: str  # whose amount is counted; empty for the other kinds
    owner: tuple[str, ...]  # roles that may raise it
    opens: bool = False  # of a rule that allows: beyond it the other rules decide

    @property
    def stands_in(self) -> str:
        """Where people find it."""
        return f"rule `{self.rule}`" if self.rule else "`budgets` in bosun.yaml"

    def adds(self, arguments: Mapping[str, Json]) -> Decimal | None:
        """What the call would use of it; None where it cannot be told, and for an amount below zero."""
        if self.kind == "calls":
            return Decimal(1)
        if self.kind == "cost":
            return NOTHING  # the model has been paid by now
        amount = values.number(arguments.get(self.argument))
        return None if amount is None or amount < 0 else amount

    def account(self, facts: CallFacts) -> str | None:
        """For whom the call is counted, as text; None where that is not known."""
        known = {
            "agent": facts.agent,
            "person": facts.requester,
            "channel": facts.channel,
            "workflow": facts.workflow or "",
        }
        parts: dict[str, Json] = {scope: known[scope] for scope in self.each}
        found = {name: values.at_path(facts.arguments, name) for name in self.same}
        if None in parts.values() or not all(there for there, _ in found.values()):
            return None
        return canonical({**parts, "same": {name: value for name, (_, value) in found.items()}}).decode()

    def fits(self, facts: CallFacts) -> bool | None:
        """Whether the call stays within it; None where it cannot be told."""
        used, added = facts.used.get(self.key), self.adds(facts.arguments)
        if used is None or added is None:
            return None
        if self.kind == "cost":
            return used.amount < self.limit + used.raised
        return used.amount + added <= self.limit + used.raised

    def told(self, facts: CallFacts) -> str:
        """Why the call does not fit, as a sentence without a full stop."""
        used, added = facts.used.get(self.key), self.adds(facts.arguments)
        if used is None:
            return f"how much of {self.in_words()} is used cannot be told"
        if added is None:
            return f"{self.argument} is {shown(facts.arguments.get(self.argument))}, which cannot be counted"
        more = f", and {number(added)} more would go beyond it" if self.kind == "amount" else ""
        limit = number(self.limit + used.raised)
        how = {"amount": "is used", "cost": "is used or kept free for answers", "calls": "are used"}[self.kind]
        return f"of {self.in_words(limit)}, {number(used.amount)} {how}{more}"

    def in_words(self, limit: str = "") -> str:
        """ "the budget of 1000 per day for each agent"."""
        apart = [*self.each, *self.same]
        each = f" for each {' and '.join(apart)}" if apart else ""
        what = {"amount": "the budget of {}", "cost": "the model budget of {} USD", "calls": "the limit of {} calls"}
        return f"{what[self.kind].format(limit or number(self.limit))} per {self.per}{each}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Used:
    """What is gone of a meter in the account and the time that the call falls into."""

    amount: Decimal = NOTHING  # done and reserved, also for the next answer of the model in this run
    raised: Decimal = NOTHING  # by which people have raised the limit


@dataclass(frozen=True, kw_only=True, slots=True)
class Charge:
    """What a call uses of a meter once it is done."""

    meter: Meter
    account: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Within:
    """A rule that allows holds only within its budgets and limits."""

    meter: Meter
    of_call: bool = True

    def holds(self, facts: CallFacts) -> bool:
        return self.meter.fits(facts) is True

    def failed(self, facts: CallFacts) -> str:
        return self.meter.told(facts)


def meters_of(rule: Rule) -> tuple[Meter, ...]:
    """The budgets and limits of a rule."""
    found = [_budget(rule.id, number, budget) for number, budget in enumerate(rule.budget or ())]
    found += [_limit(rule.id, number, limit) for number, limit in enumerate(rule.limit or ())]
    return tuple(replace(meter, opens=rule.verdict == "allow") for meter in found)


def in_force(rules: Iterable[Rule], budgets: Iterable[ModelBudget]) -> tuple[Meter, ...]:
    """Everything that is counted, those of bosun.yaml first."""
    return (*of_models(budgets), *(meter for rule in rules for meter in meters_of(rule)))


def of_models(budgets: Iterable[ModelBudget]) -> tuple[Meter, ...]:
    """The budgets for whatever models cost, as bosun.yaml has them."""
    return tuple(
        Meter(
            key=each.key,
            rule="",
            kind="cost",
            limit=Decimal(str(each.cost)),
            per=each.per,
            each=each.each or (),
            same=(),
            argument="",
            owner=each.owner or (),
        )
        for each in budgets
    )


def _budget(rule: str, number: int, budget: Budget) -> Meter:
    limit, owner = Decimal(str(budget.amount or budget.cost)), budget.owner or ()
    if budget.cost is not None:
        return _meter(budget, f"{rule}:budget:{number}", rule, kind="cost", limit=limit, owner=owner)
    return _meter(budget, f"{rule}:budget:{number}", rule, kind="amount", limit=limit, owner=owner, argument=budget.of)


def _limit(rule: str, number: int, limit: Limit) -> Meter:
    return _meter(limit, f"{rule}:limit:{number}", rule, kind="calls", limit=Decimal(limit.calls))


def _meter(
    counted: Counted,
    key: str,
    rule: str,
    *,
    kind: Kind,
    limit: Decimal,
    owner: tuple[str, ...] = (),
    argument: str = "",
) -> Meter:
    return Meter(
        key=key,
        rule=rule,
        kind=kind,
        limit=limit,
        per=counted.per,
        each=counted.each or (),
        same=counted.same or (),
        argument=argument,
        owner=owner,
    )


def number(amount: Decimal) -> str:
    """ "1000", "12.5"."""
    plain = f"{amount:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
