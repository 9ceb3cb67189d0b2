"""What other rules would have said to the calls that were really made: newly silent, newly asked, newly denied."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from kernel.types import Decision, Frozen
from rules.engine.decide import charges, decide
from rules.engine.meters import Used
from rules.engine.replaying import facts_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.store.past_calls import PastCall
    from rules.engine.decide import Verdict
    from rules.engine.facts import CallFacts
    from rules.engine.meters import Meter
    from rules.engine.ruleset import RuleSet

Kind = Literal["silent", "asked", "denied"]

KINDS: dict[Decision, Kind] = {"allow": "silent", "ask": "asked", "deny": "denied"}
TITLES: dict[Kind, str] = {"silent": "Newly silent", "asked": "Newly asked", "denied": "Newly denied"}
LINKS = 5  # runs that are named for each kind of change


class Difference(Frozen):
    """Calls that would be decided in another way, of one agent and tool and by the same rules."""

    kind: Kind
    agent: str
    tool: str
    before: str  # "ask by payment"
    after: str  # "allow by small-payment"
    calls: int
    runs: tuple[str, ...]  # references, the newest first, not all of them


class Backtest(Frozen):
    """The comparison over some time."""

    calls: int  # that were looked at
    days: int
    differences: tuple[Difference, ...] = ()  # silent ones first
    policies: int = 0  # calls that are asked before and after, of other people

    @property
    def text(self) -> str:
        """Markdown; the references can be asked about with `why`."""
        lines = []
        for kind, title in TITLES.items():
            found = [each for each in self.differences if each.kind == kind]
            lines.append(f"**{title}**: {sum(each.calls for each in found) or 'nothing'}")
            lines += [_line(each) for each in found]
        if self.policies:
            lines.append(f"**Asked of others**: {self.policies}")
        lines.append(f"{self.calls} calls of the last {self.days} days were decided again.")
        return "\n".join(lines)


def backtest(current: RuleSet, other: RuleSet, calls: Iterable[PastCall], *, days: int) -> Backtest:
    """Decide about the calls, oldest first, by the rules in force and by the others.

    Budgets and limits are counted anew for both from the calls that would have been let through; what the model cost
    counts as nothing. Facts, promotions and permissions are those that were recorded.
    """
    now, then = _Counting(current), _Counting(other)
    total = policies = 0
    groups: dict[tuple[str, str, str, str, Kind], list[str]] = {}
    for call in calls:
        total += 1
        facts = facts_of(call)
        before, after = now.decide(facts, call.run), then.decide(facts, call.run)
        if before.decision != after.decision:
            key = (call.agent, call.tool, _by(before), _by(after), KINDS[after.decision])
            groups.setdefault(key, []).append(call.run)
        elif before.policy != after.policy:
            policies += 1
    order = list(TITLES)
    found = [
        Difference(
            kind=kind,
            agent=agent,
            tool=tool,
            before=was,
            after=would,
            calls=len(runs),
            runs=tuple(dict.fromkeys(reversed(runs)))[:LINKS],
        )
        for (agent, tool, was, would, kind), runs in groups.items()
    ]
    found.sort(key=lambda each: (order.index(each.kind), -each.calls, each.agent, each.tool))
    return Backtest(calls=total, days=days, differences=tuple(found), policies=policies)


def trials(calls: Iterable[PastCall]) -> str:
    """What rules that only log would have changed, as they were recorded. Markdown."""
    seen: Counter[tuple[str, Decision, Decision]] = Counter()
    runs: dict[tuple[str, Decision, Decision], list[str]] = {}
    for call in calls:
        trial = call.verdict.get("log_only")
        for rule in trial["rules"] if trial else ():
            key = (rule, call.verdict["decision"], trial["decision"])
            seen[key] += 1
            runs.setdefault(key, []).append(call.run)
    if not seen:
        return "No rule that only logs has met a call."
    return "\n".join(
        f"- `{rule}`: {count} calls, {was} as before {_refs(runs[rule, was, would])}"
        if was == would
        else f"- `{rule}`: {count} calls, {would} instead of {was} {_refs(runs[rule, was, would])}"
        for (rule, was, would), count in sorted(seen.items())
    )


class _Counting:
    """Decides with budgets and limits that are used up by what it lets through."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self._used: dict[tuple[str, str, str], Decimal] = {}

    def decide(self, facts: CallFacts, run: str) -> Verdict:
        meters = self.rules.meters(facts.agent, facts.tool, facts.effect)
        if not meters:
            return decide(self.rules, facts)
        verdict = decide(self.rules, replace(facts, used=self._now(meters, facts, run)))
        if verdict.decision == "allow":
            for charge in charges(self.rules, verdict, facts):
                key = (charge.meter.key, charge.account, _period(charge.meter, facts, run))
                self._used[key] = self._used.get(key, Decimal(0)) + charge.amount
        return verdict

    def _now(self, meters: Iterable[Meter], facts: CallFacts, run: str) -> dict[str, Used]:
        found = {}
        for meter in meters:
            account = meter.account(facts)
            if account is not None:
                used = self._used.get((meter.key, account, _period(meter, facts, run)), Decimal(0))
                found[meter.key] = Used(amount=used)
        return found


def _period(meter: Meter, facts: CallFacts, run: str) -> str:
    """The run, or the hour, day or month of UTC that the call falls into."""
    if meter.per == "run" or facts.now is None:
        return run
    return facts.now.isoformat()[: {"hour": 13, "day": 10, "month": 7}[meter.per]]


def _by(verdict: Verdict) -> str:
    return f"{verdict.decision} by {', '.join(verdict.rules) or 'default'}"


def _line(each: Difference) -> str:
    return f"- {each.calls} × `{each.tool}` of {each.agent}: {each.before}, then {each.after} {_refs(each.runs)}"


def _refs(runs: Iterable[str]) -> str:
    return f"({', '.join(list(dict.fromkeys(runs))[:LINKS])})"
