"""A machine that does to several calls on one card whatever people, clocks, rules and crashes can do, on two replicas.

Beside the card there are delegates of who is away, standing permissions with their end, and an emergency role that the
rules take back. What is checked is written down without the code that it checks.
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
  - id: pay-together
    why: Two of finance, for all payments of a request at once.
    tool: pay
    otherwise: ask
    approval:
      who: finance
      need: 2
      expires: 6h
      edit: true
      batchable: true
      grant: {calls: 2, for: 2h}
      break_glass: [interns]
"""
NO_GLASS = RULES.replace("      break_glass: [interns]\n", "")
PEOPLE = ("ann", "bo", "cy", "lea", "dee", "ida", "zoe")
CALLS = 3
MORE = 7.0  # amount of the calls under a permission: no other call has it
NUMBERS = itertools.count(1)

person = st.sampled_from(PEOPLE)
item = st.integers(0, CALLS - 1)


class BatchMachine(Replicas):
    """Three calls of one request, and everything that can happen to them."""

    text = RULES

    def __init__(self) -> None:
        super().__init__()
        self.world.team.roles["finance"] |= {"dee"}
        self.away: dict[str, str] = {}  # person -> delegate
        number = next(NUMBERS)
        self.accounts = [f"DE{number:06}{index}" for index in range(CALLS)]
        self.allowed: list[str | None] = [None] * CALLS  # digest that people let through
        self.glass: list[bool] = [False] * CALLS  # one person alone did
        self.grants: dict[str, dict[str, Any]] = {}  # ref -> which item, who gave it, until when, how often it was used

    def row(self, index: int) -> rows.ApprovalState:
        return self.world.approval(self.refs[index])

    def items(self) -> list[rows.ApprovalState]:
        return [self.row(index) for index in range(CALLS)]

    def call(self, index: int) -> dict[str, Any]:
        return {"account": self.accounts[index], "amount": 500.0}

    # -- what happens -----------------------------------------------------------------------------

    @initialize()
    def asked(self) -> None:
        for who in PEOPLE:  # the database is that of the example before
            self.runner.run(self.worlds[0].services.absences.come_back(self.world.team.people[who], who))
        self.facts: RunFacts = self.world.run("pay them all")
        self.refs: list[str] = []
        for index in range(CALLS):
            outcome = self.runner.run(self.world.act(self.facts, "pay", f"u{index}", **self.call(index)))
            assert isinstance(outcome, Parked)
            self.refs += outcome.refs
        self.world.wait(self.facts)
        assert len({row.batch for row in self.items()}) == 1

    @rule(
        who=person,
        where=replica,
        verb=st.sampled_from(["approve", "approve", "approve", "choose", "reject"]),
        picked=st.sets(item),
        others=st.sampled_from(["keep", "keep", "reject"]),
        stale=st.booleans(),
        clicks=st.integers(1, 2),
    )
    def press(
        self, who: str, where: int, verb: str, picked: set[int], others: str, *, stale: bool, clicks: int
    ) -> None:
        before = self.items()
        on_card = self.world.store.read_now(lambda session: rows.of_batch(session, before[0].batch))
        seen = 3 if stale else sum(row.revision for row in on_card)
        fields = {"choose": {"approve": "\n".join(self.refs[n] for n in picked), "others": others, "reason": "not now"}}
        fields["reject"] = {"reason": "not now"}
        press = Press(subject=before[0].batch, revision=seen, verb=verb, fields=fields.get(verb, {}))
        both = [self.worlds[(where + n) % 2].approvals.answer(press, account(who)) for n in range(clicks)]
        for said in self.runner.run(together(both)):
            assert said
            if stale and seen != sum(row.revision for row in on_card):
                assert "out of date" in said or "cannot decide" in said or "yourself" in said or "account" in said, said
        self.look(who, before)

    @rule(who=person, where=replica, index=item)
    def vote_on_one(self, who: str, where: int, index: int) -> None:
        before = self.items()
        self.runner.run(self.worlds[where].vote(who, self.refs[index]))
        self.look(who, before)

    @rule(where=replica)
    def people_do_what_they_are_asked(self, where: int) -> None:
        for who in ("bo", "cy", "dee"):
            self.press(who, where, "approve", set(), "keep", stale=False, clicks=2)

    @rule(first=person, second=person, where=replica)
    def two_at_once(self, first: str, second: str, where: int) -> None:
        """Two people decide different calls in the same instant, on two replicas."""
        before = self.items()
        votes = [self.worlds[where].vote(first, self.refs[0]), self.worlds[1 - where].vote(second, self.refs[1])]
        self.runner.run(together(votes))
        self.look(first, before, second)

    @rule(who=person, where=replica, index=item)
    def break_glass(self, who: str, where: int, index: int) -> None:
        before = self.row(index)
        reply = self.runner.run(self.worlds[where].vote(who, self.refs[index], "break_glass", reason="the shop burns"))
        if reply.ok:
            assert before.state == rows.PENDING
            assert who in self.world.team.roles["interns"] - {"ann", "zoe"}
            self.allowed[index], self.glass[index] = before.digest, True

    @rule(revoked=st.booleans())
    def rules_change(self, *, revoked: bool) -> None:
        self.text = NO_GLASS if revoked else RULES
        for world in self.worlds:
            world.rules(self.text)

    @rule(who=person, where=replica, index=item, amount=st.sampled_from(["400", "300"]))
    def edit(self, who: str, where: int, index: int, amount: str) -> None:
        before = self.row(index)
        reply = self.runner.run(
            self.worlds[where].approvals.edit(self.refs[index], before.revision, {"arg_amount": amount}, account(who))
        )
        if reply.ok:
            assert before.state == rows.PENDING
            assert self.row(index).digest != before.digest

    @rule(who=person, delegate=person)
    def leave(self, who: str, delegate: str) -> None:
        people = self.world.team.people
        until = self.world.clock.now() + timedelta(days=300)
        with contextlib.suppress(BosunError):
            self.runner.run(self.worlds[0].services.absences.leave(people[who], people[delegate], until, who))
            self.away[who] = delegate

    @rule(who=person)
    def come_back(self, who: str) -> None:
        if self.runner.run(self.worlds[1].services.absences.come_back(self.world.team.people[who], who)):
            del self.away[who]

    @rule(who=person, holds=st.booleans())
    def role(self, *, who: str, holds: bool) -> None:
        members = self.world.team.roles["finance"]
        (members.add if holds else members.discard)(who)

    @rule(who=person, where=replica, index=item)
    def propose_a_permission(self, who: str, where: int, index: int) -> None:
        before = self.items()
        fields = {"calls": "2", "lasts": "2h"}
        self.runner.run(
            self.worlds[where].approvals.grant(self.refs[index], before[index].revision, fields, account(who))
        )
        self.look(who, before)

    @rule(where=replica, index=item)
    def more_like_it(self, where: int, index: int) -> None:
        """A later request for a smaller payment to the same account: done alone only under a permission that holds."""
        facts = self.world.run(f"pay {self.accounts[index]} again")
        before = len(self.done(index, MORE))
        use: dict[str, Any] = {"account": self.accounts[index], "amount": MORE}
        outcome = self.runner.run(self.worlds[where].act(facts, "pay", **use))
        if isinstance(outcome, Finished):
            assert len(self.done(index, MORE)) == before + 1
            holding = [one for one in self.grants.values() if one["item"] == index and self.holds(one)]
            assert holding, self.grants
            holding[0]["used"] += 1
        else:
            assert len(self.done(index, MORE)) == before

    @rule(who=person)
    def revoke(self, who: str) -> None:
        for ref, one in self.grants.items():
            with contextlib.suppress(BosunError):
                self.runner.run(self.world.approvals.grants.revoke(ref, self.world.team.people[who], account(who)))
                one["revoked"] = True

    @rule(minutes=st.sampled_from([1, 30, 70, 130]), where=replica)
    def time(self, minutes: int, where: int) -> None:
        self.world.clock.advance(minutes=minutes)
        now = self.world.clock.now()
        both = [self.worlds[(where + n) % 2].approvals for n in range(2)]
        self.runner.run(together([each.run_due(now) for each in both] + [each.expire_due(now) for each in both]))

    @rule()
    def go_on(self) -> None:
        """The run's next segment hands in every call, on both replicas at once, as after a take-over."""
        before = [self.done(index) for index in range(CALLS)]
        facts = self.world.now(self.facts)
        for index in range(CALLS):
            acts = [world.act(facts, "pay", f"u{index}", **self.call(index)) for world in self.worlds]
            found = self.runner.run(together(acts, may_fail=SegmentOvertaken))
            parked = [ref for one in found if isinstance(one, Parked) for ref in one.refs if ref != self.refs[index]]
            if parked:  # the rules are stricter by now, so people are asked again
                assert self.row(index).state == rows.WITHDRAWN
                self.refs[index], self.allowed[index], self.glass[index] = parked[0], None, False
            if self.text == NO_GLASS and self.glass[index]:
                assert self.done(index) == before[index]
        self.world.wait(self.facts)

    # -- what has to hold -------------------------------------------------------------------------

    @invariant()
    def each_happens_once_as_approved_by_those_required_and_every_copy_shows_it(self) -> None:
        if not hasattr(self, "refs"):
            return
        for index, row in enumerate(self.items()):
            done = self.done(index)
            if row.state in {rows.APPROVED, rows.CONSUMED}:
                assert self.allowed[index] == row.digest
            assert len(done) <= 1
            if done:
                assert row.state == rows.CONSUMED
                assert done == [f"pay {self.accounts[index]} {row.arguments['amount']:g}"]
            for subject in (row.ref, row.batch):
                assert len({json.dumps(copy.body, sort_keys=True) for copy in self.world.cards(subject)}) <= 1
        for one in self.grants.values():
            assert one["used"] <= 2

    @invariant()
    def the_common_card_tells_of_every_call(self) -> None:
        if not hasattr(self, "refs"):
            return
        on_card = self.world.store.read_now(lambda session: rows.of_batch(session, self.row(0).batch))
        for copy in self.world.cards(on_card[0].batch)[: len(on_card) > 1]:  # one alone has a card like any other
            titles = [payload["title"] for payload in copy.body["payloads"]]
            for row, title in zip(on_card, titles, strict=True):
                words = {rows.PENDING: "of 2 approvals", rows.APPROVED: "approved", rows.CONSUMED: ""}
                assert words.get(row.state, row.state) in title, (row.state, title)

    # -- the same, said without the code ----------------------------------------------------------

    def done(self, index: int, amount: float | None = None) -> list[str]:
        """What was really paid to the account: the call itself, or those under a permission."""
        lines = [line for line in self.world.happened if self.accounts[index] in line]
        return [line for line in lines if line.endswith(f" {MORE:g}") is (amount == MORE)]

    def holders(self) -> set[str]:
        return self.world.team.roles["finance"] - {"ann", "zoe"}

    def fills(self, voter: str, seat: str) -> bool:
        """Whether the voter speaks now for this seat: their own, or that of somebody who is away and has named them."""
        if not seat or seat == voter:
            return voter in self.holders()
        named = self.away.get(seat) == voter and voter not in self.away
        return named and seat in self.holders() and voter not in {"ann", "zoe"}

    def seats(self, votes: Iterable[dict[str, Any]]) -> set[str]:
        """Different people who agree at this moment."""
        approving = [(vote["id"], vote.get("seat", "")) for vote in votes if vote["verb"] == "approve"]
        return {seat or voter for voter, seat in approving if self.fills(voter, seat)}

    def holds(self, grant: dict[str, Any]) -> bool:
        """The permission is in force, and those who gave it could give it now."""
        in_time = self.world.clock.now() < grant["until"] and grant["used"] < 2 and not grant["revoked"]
        return in_time and len(self.seats(grant["votes"])) >= 2

    def look(self, who: str, before: list[rows.ApprovalState], other: str = "") -> None:
        """Whatever changed was changed by who may, and what is approved has two people behind it."""
        for index, was in enumerate(before):
            now = self.row(index)
            votes = list((now.outcome or {}).get("votes", ()))
            old = (
                {vote["id"] for vote in (was.outcome or {}).get("votes", ())} if was.revision == now.revision else set()
            )
            for vote in votes:
                if vote["id"] not in old:
                    assert vote["id"] in {who, other}
                    assert was.state == rows.PENDING
                    assert self.fills(vote["id"], vote.get("seat", ""))
            if now.state == rows.APPROVED and was.state == rows.PENDING:
                assert len(self.seats(votes)) >= 2, votes
                self.allowed[index] = now.digest
                offer = (now.outcome or {}).get("offer")
                if offer:
                    until = self.world.clock.now() + timedelta(hours=2)
                    given = {"item": index, "votes": votes, "until": until, "used": 0, "revoked": False}
                    self.grants[offer["ref"]] = given
