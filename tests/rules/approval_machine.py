"""A machine that does to one approval whatever people, clocks and crashes can do, on two replicas, in any order.

What it checks is written down without the code that it checks: who said what, who holds which role, what time it is.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from kernel.errors import BosunError
from kernel.store import approvals as rows
from kernel.types import Press, RunFacts
from rules.engine.outcome import Finished, Parked, SegmentOvertaken
from tests.rules.people import account
from tests.rules.replicas import Replicas, replica, together

if TYPE_CHECKING:
    from collections.abc import Iterable

RULES = """
version: 1
rules:
  - id: pay-in-steps
    why: Legal first, then two of finance, after two hours also an admin.
    tool: pay
    otherwise: ask
    approval:
      stages: [{who: legal}, {who: finance, need: 2, escalate: [{after: 2h, to: admin}]}]
      expires: 6h
      edit: true
      break_glass: [interns]
"""
PEOPLE = ("ann", "bo", "cy", "lea", "dee", "ida", "zoe")
ROLES = ("legal", "finance", "admin")
AMOUNTS = ("500", "400", "300")
LATE = timedelta(hours=2)
NUMBERS = itertools.count(1)

person = st.sampled_from(PEOPLE)


class ApprovalMachine(Replicas):
    """One call that needs people, and everything that can happen to it."""

    text = RULES

    def __init__(self) -> None:
        super().__init__()
        self.account = f"DE{next(NUMBERS):08}"
        self.said: list[str] = []  # who approved the current revision
        self.stage_at = self.worlds[0].clock.now()
        self.allowed: str | None = None  # digest that people let through

    @property
    def row(self) -> rows.ApprovalState:
        return self.world.approval(self.ref)

    def done(self) -> list[str]:
        """What was really paid to this account."""
        return [line for line in self.world.happened if self.account in line]

    # -- what happens -----------------------------------------------------------------------------

    @initialize()
    def asked(self) -> None:
        self.facts: RunFacts = self.world.run(f"pay 500 to {self.account}")
        self.call: dict[str, Any] = {"account": self.account, "amount": 500.0}
        self.ref = self.runner.run(self.world.park(self.facts, "pay", **self.call))

    @rule(
        who=person,
        where=replica,
        verb=st.sampled_from(["approve", "approve", "approve", "reject"]),
        stale=st.booleans(),
        clicks=st.integers(1, 3),
    )
    def vote(self, *, who: str, where: int, verb: str, stale: bool, clicks: int) -> None:
        before, revision = self.row, 1 if stale else self.row.revision
        fair = self.may_approve(who, before) if verb == "approve" else None
        fields = {"reason": "no, thank you"} if verb == "reject" else {}
        press = Press(subject=self.ref, revision=revision, verb=verb, fields=fields)
        presses = [self.worlds[(where + n) % 2].approvals.press(press, account(who)) for n in range(clicks)]
        answers = self.runner.run(together(presses))
        assert all(answers)
        if verb == "approve" and self.row.outcome != before.outcome:
            self.counted(who, before, fair=fair)

    @rule(where=replica)
    def people_do_what_they_are_asked(self, where: int) -> None:
        """So that many runs come to an end that is worth looking at."""
        for who in ("lea", "bo", "cy"):
            self.vote(who=who, where=where, verb="approve", stale=False, clicks=2)

    @rule(who=person, where=replica, reason=st.sampled_from(["", "the shop burns"]))
    def break_glass(self, who: str, where: int, reason: str) -> None:
        before = self.row
        self.runner.run(self.worlds[where].vote(who, self.ref, "break_glass", reason=reason))
        if self.row.state == rows.APPROVED and before.state == rows.PENDING:
            assert who in self.holders("interns")
            assert who != "ann"
            assert reason
            self.allowed = self.row.digest

    @rule(who=person, where=replica, amount=st.sampled_from(AMOUNTS), stale=st.booleans())
    def edit(self, *, who: str, where: int, amount: str, stale: bool) -> None:
        before = self.row
        revision = 1 if stale else before.revision
        reply = self.runner.run(
            self.worlds[where].approvals.edit(self.ref, revision, {"arg_amount": amount}, account(who))
        )
        if reply.ok:
            assert before.state == rows.PENDING
            assert self.row.revision == before.revision + 1
            assert self.row.digest != before.digest
            self.said.clear()

    @rule(who=person, role=st.sampled_from(ROLES), holds=st.booleans())
    def role(self, *, who: str, role: str, holds: bool) -> None:
        members = self.world.team.roles[role]
        (members.add if holds else members.discard)(who)

    @rule(role=st.sampled_from(ROLES), down=st.booleans())
    def directory(self, *, role: str, down: bool) -> None:
        (self.world.team.down.add if down else self.world.team.down.discard)(role)

    @rule(minutes=st.sampled_from([1, 1, 30, 70, 130]), where=replica)
    def time(self, minutes: int, where: int) -> None:
        self.world.clock.advance(minutes=minutes)
        now = self.world.clock.now()
        both = [self.worlds[(where + n) % 2].approvals for n in range(2)]
        self.runner.run(together([each.run_due(now) for each in both] + [each.expire_due(now) for each in both]))

    @rule(who=person, where=replica, wanted=st.integers(0, 3))
    def withdraw(self, who: str, where: int, wanted: int) -> None:
        if wanted:
            return
        before = self.row.state
        self.runner.run(self.worlds[where].approvals.withdraw_one(self.ref, "", account(who)))
        if self.row.state == rows.WITHDRAWN and before != rows.WITHDRAWN:
            assert who == "ann" or who in self.holders("admin")
            assert before in {rows.PENDING, rows.APPROVED}

    @rule(who=person, where=replica)
    def question(self, who: str, where: int) -> None:
        before = self.row
        self.runner.run(self.worlds[where].approvals.ask(self.ref, "What for?", account(who)))
        self.runner.run(self.worlds[where].approvals.answer_question(self.ref, "approve", account("ann")))
        assert (self.row.state, self.row.digest) == (before.state, before.digest)

    @rule(
        subject=st.booleans(),
        verb=st.text(max_size=8),
        fields=st.dictionaries(st.text(max_size=8), st.text(max_size=8)),
        who=person,
    )
    def nonsense(self, *, subject: bool, verb: str, fields: dict[str, str], who: str) -> None:
        before = self.row
        press = Press(subject=self.ref if subject else verb, revision=before.revision, verb=f"?{verb}", fields=fields)
        with contextlib.suppress(BosunError):
            self.runner.run(self.world.approvals.answer(press, account(who)))
        assert (self.row.state, self.row.outcome) == (before.state, before.outcome)

    @rule()
    def go_on(self) -> None:
        """The run's next segment, on both replicas at once, as after a take-over."""
        if self.row.state == rows.PENDING:
            return
        acts = [world.go_on(self.facts, "pay", **self.call) for world in self.worlds]
        for outcome in self.runner.run(together(acts, may_fail=SegmentOvertaken)):
            assert isinstance(outcome, Finished | Parked | SegmentOvertaken), outcome

    # -- what has to hold -------------------------------------------------------------------------

    @invariant()
    def happens_once_as_approved_by_those_required_and_every_copy_shows_it(self) -> None:
        if not hasattr(self, "ref"):
            return
        row, done = self.row, self.done()
        if row.state in {rows.APPROVED, rows.CONSUMED}:
            assert self.allowed == row.digest
        assert len(done) <= 1
        if done:
            assert row.state == rows.CONSUMED
            assert done == [f"pay {self.account} {row.arguments['amount']:g}"]
        assert len({json.dumps(copy.body, sort_keys=True) for copy in self.world.cards(self.ref)}) == 1

    # -- the same, said without the code ----------------------------------------------------------

    def votes(self) -> list[dict[str, Any]]:
        return list((self.row.outcome or {}).get("votes", ()))

    def holders(self, role: str) -> set[str]:
        return self.world.team.roles[role] - {"ann", "zoe"}

    def may_approve(self, who: str, row: rows.ApprovalState) -> bool:
        """The person is nobody who asked, is known, has not voted, the time is not up, and no lookup is down."""
        open_still = row.expires_at is not None and self.world.clock.now() < row.expires_at
        return who not in {"ann", "zoe"} and open_still and who not in self.said

    def counted(self, who: str, before: rows.ApprovalState, *, fair: bool | None) -> None:
        """The vote changed something. Where it let the call through, the people were there."""
        if who in {vote["id"] for vote in self.votes()} and who not in self.said:
            assert fair
            assert before.state == rows.PENDING
            self.said.append(who)
        if self.row.state == rows.APPROVED:
            late = self.world.clock.now() - before.created_at >= LATE
            second = self.holders("finance") | (self.holders("admin") if late else set())
            assert _enough(self.said, self.holders("legal"), second)
            self.allowed = self.row.digest


def _enough(approving: Iterable[str], legal: set[str], second: set[str]) -> bool:
    """One of legal, and two others of the second group."""
    return any(first in legal and {one, two} <= second for first, one, two in itertools.permutations(set(approving), 3))
