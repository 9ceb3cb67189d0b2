"""One vote: the person is authorised now, then one transaction records it and says what came of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from kernel import ledger
from kernel.people import RoleUnknownError
from kernel.store import approvals as rows
from rules.engine import wording, writing
from rules.engine.record import Voter, outcome_of, policy_of, preview_of
from rules.engine.standing import NONE, Standing, standing_of
from rules.engine.wording import Reply, refused

if TYPE_CHECKING:
    from kernel.store import Session
    from kernel.store.approvals import ApprovalState
    from kernel.types import Actor, Person
    from rules.engine.services import Services

TRIES = 5  # of a vote that meets another one in the same instant
REASON = (3, 1000)  # characters of a reason for rejecting
ANSWERS = {"done": rows.APPROVED, "repeat": rows.APPROVED, "give_up": rows.REJECTED}  # to an unknown outcome
DECIDING = frozenset({"approve", "reject"})
VERBS = {"call": DECIDING, "question": DECIDING, "unknown": frozenset(ANSWERS)}


@dataclass(frozen=True, kw_only=True)
class Ballot:
    """What somebody wants to say to an approval."""

    ref: str
    revision: int | None  # that the person saw; None: whatever is current
    verb: str
    actor: Actor
    reason: str = ""
    target: str = ""  # as typed, where the policy asks for it


@dataclass(frozen=True, kw_only=True)
class Authorised:
    """Who votes, and how everybody who voted stands at this moment."""

    person: Person
    standing: Standing
    others: dict[str, Standing]  # by Person.id


class Votes:
    """Records votes."""

    def __init__(self, services: Services) -> None:
        self.services = services

    async def cast(self, ballot: Ballot, seen: ApprovalState | None = None) -> Reply:
        """Record the vote; the reply says what happened, and is for the person alone.

        `seen` is the approval where it was read just now. Whether it is still so, the transaction of the vote looks.
        """
        store = self.services.store
        for _ in range(TRIES):
            row = seen if seen is not None else await store.read(lambda session: rows.by_ref(session, ballot.ref))
            seen = None
            if row is None:
                return refused(wording.unknown(ballot.ref))
            person = self.services.directory.person(ballot.actor)
            try:
                known = await self._authorise(row, person, ballot.actor)
            except RoleUnknownError:
                return refused(wording.cannot_verify())
            if not known.standing.counts:
                return await self.turn_away(row, person, known.standing, ballot)
            complaint = _complaint(row, ballot)
            if complaint:
                return refused(complaint)
            reply = await store.write(partial(self._record, ballot=ballot, known=known, seen=row.revision))
            if reply is not None:
                return reply
            await asyncio.sleep(0)
        return refused("Somebody else voted in the same instant, and nothing of yours was recorded. Try again.")

    async def _authorise(self, row: ApprovalState, person: Person, actor: Actor) -> Authorised:
        """The standing of the person and of those who approved before: roles count as they are now."""
        directory, policy = self.services.directory, policy_of(row)
        standing = await standing_of(directory, person, policy, row.requester, actor)
        others: dict[str, Standing] = {}
        for vote in outcome_of(row).votes if standing.counts else ():
            voter = directory.by_id(vote.id)
            if voter is None:  # not listed: what counted when the vote was cast
                others[vote.id] = Standing(groups=frozenset(vote.groups))
            else:
                others[vote.id] = await standing_of(directory, voter, policy, row.requester)
        return Authorised(person=person, standing=standing, others=others)

    async def turn_away(self, row: ApprovalState, person: Person, standing: Standing, ballot: Ballot) -> Reply:
        """Refuse somebody who does not count, on the record."""
        now = self.services.clock.now()
        told = {"person": person.id, "account": ballot.actor.account, "verb": ballot.verb}
        await self.services.store.write(lambda session: writing.tell(session, now, "approval.turned_away", row, **told))
        if row.state != rows.PENDING and person.can_decide and not standing.excluded:
            return refused(wording.closed(row))
        return refused(wording.not_yours(row, person, ballot.actor, excluded=standing.excluded))

    def _record(self, session: Session, *, ballot: Ballot, known: Authorised, seen: int) -> Reply | None:
        """The transaction. None: the approval changed since it was looked at, so everything is looked at again."""
        now = self.services.clock.now()
        row = rows.by_ref(session, ballot.ref, lock=True)
        if row is None:
            return refused(wording.unknown(ballot.ref))
        if row.state == rows.PENDING and row.expires_at is not None and row.expires_at <= now:
            writing.close(session, row, rows.EXPIRED, outcome_of(row), now)
        if row.state != rows.PENDING:
            return refused(wording.closed(row))
        if ballot.revision is not None and ballot.revision != row.revision:
            return refused(wording.old_revision(row, ballot.revision))
        if row.revision != seen:
            return None
        outcome = outcome_of(row)
        if any(self.services.directory.one_human(vote.id, known.person.id) for vote in outcome.votes):
            return refused(wording.already_voted(row))
        if {vote.id for vote in outcome.votes} - known.others.keys():
            return None
        vote = {"principal": known.person.id, "verb": ballot.verb, "reason": ballot.reason}
        if not rows.add_vote(session, row, now, account=ballot.actor.account, **vote):
            return refused(wording.already_voted(row))
        voter = Voter(
            id=known.person.id,
            name=known.person.name,
            verb=ballot.verb,
            groups=tuple(sorted(known.standing.groups)),
        )
        return self._count(session, row, ballot, known, voter)

    def _count(self, session: Session, row: ApprovalState, ballot: Ballot, known: Authorised, voter: Voter) -> Reply:
        now = self.services.clock.now()
        outcome = outcome_of(row)
        outcome = outcome.model_copy(update={"votes": (*outcome.votes, voter)})
        told = {"person": voter.id, "account": ballot.actor.account, "verb": ballot.verb}
        voted = writing.record("approval.vote", row, **told)
        if row.kind == "unknown" or ballot.verb == "reject":
            state = ANSWERS.get(ballot.verb, rows.REJECTED)
            outcome = outcome.model_copy(
                update={
                    "by": voter.name,
                    "reason": ballot.reason,
                    "answer": ballot.verb if row.kind == "unknown" else "",
                }
            )
            writing.close(session, row, state, outcome, now, voted, by=[voter.id])
            return Reply(text=_said(row, ballot), ok=True)
        standings = {**known.others, voter.id: known.standing}
        if not _satisfied(row, outcome.votes, standings):
            ledger.append_all(session, now, (voted,))
            writing.note(session, row, outcome)
            writing.redraw(session, row)
            return Reply(text=f"Your approval is recorded: {wording.tally(row)}.", ok=True)
        counted = [vote for vote in outcome.votes if standings.get(vote.id, NONE).counts]
        outcome = outcome.model_copy(update={"by": wording.listed(vote.name for vote in counted)})
        writing.close(session, row, rows.APPROVED, outcome, now, voted, by=[vote.id for vote in counted])
        return Reply(text=f"Approved: {preview_of(row).headline}. The run goes on.", ok=True)


def _satisfied(row: ApprovalState, votes: tuple[Voter, ...], standings: dict[str, Standing]) -> bool:
    """Whether in every group enough different people, as they stand now, have approved."""
    people = {vote.id for vote in votes if vote.verb == "approve"}
    return all(
        sum(number in standings.get(person, NONE).groups for person in people) >= group.need
        for number, group in enumerate(policy_of(row).groups)
    )


def _complaint(row: ApprovalState, ballot: Ballot) -> str:
    """What is wrong with the ballot itself; empty where nothing is."""
    if row.state != rows.PENDING:
        return wording.closed(row)
    if ballot.revision is not None and ballot.revision != row.revision:
        return wording.old_revision(row, ballot.revision)
    if ballot.verb not in VERBS[row.kind]:
        return f"“{ballot.verb[:20]}” is no answer to {row.ref}. Use the buttons of the current card."
    if ballot.verb == "reject" and not REASON[0] <= len(ballot.reason.strip()) <= REASON[1]:
        return f"A reason of {REASON[0]} to {REASON[1]} characters is needed to reject, so nothing was recorded."
    if ballot.verb == "approve" and policy_of(row).confirm and ballot.target != preview_of(row).target:
        return (
            "What you typed is not exactly the target of this call, so nothing was recorded. "
            "Compare it letter by letter: somebody outside the team wrote it."
        )
    return ""


def _said(row: ApprovalState, ballot: Ballot) -> str:
    headline = preview_of(row).headline
    return {
        "reject": f"Rejected: {headline}. The agent gets your reason.",
        "done": f"Noted as done: {headline}.",
        "repeat": f"It is repeated now: {headline}.",
        "give_up": f"Given up: {headline}.",
    }[ballot.verb]
