"""Budgets for whatever models cost: looked at before each turn of a model, also where it calls no tool.

A turn begins only if what it may cost at most still fits beside what was spent and what other turns may cost that are
under way. Where it does not fit, those who own the budget are asked in the thread whether it is raised.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from kernel import ledger
from kernel.canonical import digest
from kernel.store import approvals as rows
from kernel.store import meters
from kernel.store.approvals import ApprovalState
from kernel.types import Fact, Frozen
from rules.engine import raising, recording, wording, writing
from rules.engine.facts import CallFacts
from rules.engine.metering import Counted, counted, gone, tell_most_is_gone, used
from rules.engine.meters import Used, number
from rules.engine.outcome import Parked
from rules.engine.record import Preview, outcome_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernel.store import Session
    from kernel.types import Place, RunFacts
    from rules.engine.meters import Meter
    from rules.engine.requests import Requests
    from rules.engine.services import Services

TOOL = "model"  # what stands in the place of the tool
CENT = Decimal("0.01")


class Refused(Frozen):
    """The turn does not begin."""

    told: str  # why, for people


@dataclass(frozen=True, kw_only=True)
class Spender:
    """Who spends: as the costs of models are kept."""

    run_id: str
    agent: str
    person: str  # Person.id; "workflow:NAME"
    channel: str
    workflow: str  # empty: a person asked

    def record(self) -> dict[str, str]:
        """The columns of a cost."""
        return {
            "run_id": self.run_id,
            "agent": self.agent,
            "person": self.person,
            "channel": self.channel,
            "workflow": self.workflow,
        }


class ModelBudgets:
    """Lets turns of a model begin, or not."""

    def __init__(self, services: Services, requests: Requests, current: Callable[[], tuple[Meter, ...]]) -> None:
        """`current` gives the budgets in force."""
        self.services = services
        self.requests = requests
        self._current = current

    async def begin(self, run: RunFacts, spender: Spender, turn: int, most: float) -> Parked | Refused | None:
        """Keep `most` US dollars free for the turn; None where it may begin. The same turn may be asked for again.

        Where only rules have budgets every turn begins: it is their calls that wait for what is kept free.
        SegmentOvertaken where the run has moved on.
        """
        if most <= 0 or not self._counts:
            return None
        amount = Decimal(str(most))
        return await self.services.store.write(lambda session: self._begin(session, run, spender, turn, amount))

    def spent(self, session: Session, spender: Spender, cost: float, place: Place) -> None:
        """Note what answers of the run have cost, in the caller's transaction; nothing is under way in it any more.

        Who owns a budget is told once most of it is gone.
        """
        now = self.services.clock.now()
        meters.add_cost(session, now, cost, **spender.record())
        self.given_up(session, spender.run_id)
        facts = self._facts(spender)
        for each in self._accounts(facts):
            tell_most_is_gone(session, self.services, each, used(session, each, facts), place)

    def given_up(self, session: Session, run_id: str) -> None:
        """Nothing is under way in the run, in the caller's transaction, and nothing was spent."""
        if self._counts:
            meters.release_cost(session, run_id)

    @property
    def _counts(self) -> bool:
        """Whether anything limits what models may cost."""
        return bool(self._current()) or self.services.rules.current.counts_costs

    def _begin(
        self, session: Session, run: RunFacts, spender: Spender, turn: int, most: Decimal
    ) -> Parked | Refused | None:
        recording.fence(session, run)
        known = self._last(session, run.run_id)
        if known is not None and known.state == rows.PENDING:
            return Parked(refs=(known.ref,))
        if known is not None and known.state == rows.APPROVED:
            self._raise(session, known)
        elif known is not None and known.state != rows.CONSUMED and _is_answer(known, run, turn):
            return Refused(told=_refused(known))
        facts = self._facts(spender)
        for each in self._accounts(facts):
            gone = self._gone(session, each, facts)
            if gone.amount + most > each.meter.limit + gone.raised:
                return Parked(refs=(self._ask(session, run, each, gone, turn, most).ref,))
        meters.reserve_cost(session, self.services.clock.now(), most, **spender.record())
        return None

    def _accounts(self, facts: CallFacts) -> list[Counted]:
        """In one order, so that two turns never wait for each other."""
        found = [each for meter in self._current() if (each := counted(meter, facts)) is not None]
        return sorted(found, key=lambda each: each.meter.key)

    def _gone(self, session: Session, each: Counted, facts: CallFacts) -> Used:
        """Spent, and kept free for turns of other runs. Whoever asks about the same account waits."""
        meters.hold(session, each.meter.key, each.account, each.period)
        return gone(session, each, facts)

    def _facts(self, spender: Spender) -> CallFacts:
        return CallFacts(
            agent=spender.agent,
            tool=TOOL,
            effect=None,
            arguments={},
            run=spender.run_id,
            requester=spender.person,
            channel=spender.channel,
            workflow=spender.workflow or None,
            now=self.services.clock.now(),
        )

    # -- raising --------------------------------------------------------------------------------------------------

    def _last(self, session: Session, run_id: str) -> ApprovalState | None:
        asked = [row for row in rows.of_run(session, run_id) if row.kind == raising.KIND and row.tool == TOOL]
        return asked[-1] if asked else None

    def _ask(  # noqa: PLR0917  what it takes to show it
        self, session: Session, run: RunFacts, each: Counted, gone: Used, turn: int, most: Decimal
    ) -> ApprovalState:
        services, limit = self.services, each.meter.limit + gone.raised
        more = _upwards(max(gone.amount + most - limit, each.meter.limit * raising.PART))
        what = {"budget": each.meter.key, "account": each.account, "period": each.period}
        arguments = {**what, "by": str(more), "turn": turn, "segment": run.segment}
        told = f"Of {each.meter.in_words(number(limit))}, {number(gone.amount)} are used or under way"
        reason = f"{told}, and the next answer may cost up to {number(_upwards(most))} USD. It waits for that."
        preview = Preview(
            headline=f"Raise {each.meter.in_words(number(limit))} by {number(more)} USD"[:120],
            facts=(
                Fact(label="Used", value=f"{number(gone.amount)} of {number(limit)} USD"),
                Fact(label="For", value=f"what {run.agent} answers next"),
            ),
            effect="spend",
            requester=run.requester.name,
            run=run.ref,
            place=run.place,
            channel=run.channel_name,
            nearest=f"{told}.",
        )
        return self.requests.put(
            session,
            run,
            preview,
            raising.policy_of(services, each.meter),
            call_id=f"{run.run_id}:{turn}",
            kind=raising.KIND,
            tool=TOOL,
            arguments=arguments,
            digest=digest(arguments),
            reason=reason,
        )

    def _raise(self, session: Session, row: ApprovalState) -> None:
        """Use the approval up: the budget is higher by so much, in the account and the period that it was asked for."""
        now, told = self.services.clock.now(), row.arguments
        done = outcome_of(row).model_copy(update={"done_at": now})
        if not writing.settle(session, row, rows.CONSUMED, done, now):
            return
        meters.raise_by(session, told["budget"], told["account"], told["period"], Decimal(told["by"]))
        body = {"by": told["by"], "account": told["account"], "period": told["period"], "approval": row.ref}
        ledger.append(session, now, "budget.raised", told["budget"], body)


def _is_answer(row: ApprovalState, run: RunFacts, turn: int) -> bool:
    """Whether it was asked for this turn, and nobody has had the run try again since: then it is asked anew."""
    return bool(row.arguments["turn"] == turn and run.segment <= row.arguments["segment"] + 1)


def _refused(row: ApprovalState) -> str:
    outcome = outcome_of(row)
    what = f"{row.reason.partition(', and the next')[0]}"
    if row.state == rows.REJECTED:
        return f"{what}. {outcome.by} did not raise it: “{wording.plain_markdown(outcome.reason)}”."
    if row.state == rows.EXPIRED:
        return f"{what}. Nobody decided in time whether it is raised."
    return f"{what}. The request to raise it was withdrawn."


def _upwards(amount: Decimal) -> Decimal:
    """Whole cents."""
    return amount.quantize(CENT, rounding=ROUND_CEILING)
