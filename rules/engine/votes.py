"""One vote: the person is authorised now, then one transaction records it and says what came of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from kernel import ledger
from kernel.people import RoleUnknownError
from kernel.store import approvals as rows
from kernel.store import freezes, promotions, runs
from rules.engine import freezing, giving, planning, stages, wording, writing
from rules.engine.record import Voter, outcome_of, policy_of, preview_of
from rules.engine.standing import NONE, Standings
from rules.engine.wording import Reply, refused

if TYPE_CHECKING:
    from kernel.store import Session
    from kernel.store.approvals import ApprovalState
    from kernel.types import Actor, Person
    from rules.engine.record import Outcome
    from rules.engine.services import Services
    from rules.engine.standing import Standing

TRIES = 5  # of a vote that meets another one in the same instant
REASON = (3, 1000)  # characters of a reason
ANSWERS = {"done": rows.APPROVED, "repeat": rows.APPROVED, "give_up": rows.REJECTED}  # to an unknown outcome
GLASS = "break_glass"  # the verb of whoever decides alone in an emergency
LETTING = frozenset({"approve", GLASS})  # verbs that let a call through
DECIDING = frozenset({"approve", "reject"})
VERBS = {
    "call": DECIDING | {GLASS},
    "question": DECIDING | {GLASS},
    "raise": DECIDING,
    "unknown": frozenset(ANSWERS),
}
SETTLED = {"approve": {rows.APPROVED, rows.CONSUMED}, "reject": {rows.REJECTED}}  # what a vote has led to
REASONED = {"reject": "to reject", GLASS: "to decide alone"}  # verbs that need a reason


@dataclass(frozen=True, kw_only=True)
class Ballot:
    """What somebody wants to say to an approval."""

    ref: str
    revision: int | None  # that the person saw; None: whatever is current
    verb: str
    actor: Actor
    reason: str = ""
    target: str = ""  # as typed, where the policy asks for it
    unseen: bool = False  # by the reference alone: whoever says it need not have a card before them
    event: str = ""  # key of the event that brought it; the same event, dealt with again, is the same vote


@dataclass(frozen=True, kw_only=True)
class Authorised:
    """Who votes, and where everybody who voted counts at this moment."""

    person: Person
    standing: Standing
    others: dict[str, frozenset[int]]  # Person.id -> groups
    emergency: str = ""  # the role by which the person decides alone


class Votes:
    """Records votes."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.standings = Standings(services)

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
            if voted_by(row, ballot.event) is not None:
                return await store.read(partial(_reply, row=row, ballot=ballot))
            person = self.services.directory.person(ballot.actor)
            try:
                known = await self._authorise(row, person, ballot)
            except RoleUnknownError:
                return refused(wording.cannot_verify())
            if not known.standing.counts and not known.emergency:
                return await self.turn_away(row, person, known.standing, ballot)
            complaint = _complaint(row, ballot)
            if complaint:
                return refused(complaint)
            reply = await store.write(partial(self._record, ballot=ballot, known=known, seen=row))
            if reply is not None:
                return reply
            await asyncio.sleep(0)
        return refused("Somebody else voted in the same instant, and nothing of yours was recorded. Try again.")

    async def _authorise(self, row: ApprovalState, person: Person, ballot: Ballot) -> Authorised:
        """The standing of the person and of those who voted before: roles count as they are now."""
        if ballot.verb == GLASS:
            role = await self.standings.by_emergency(row, person, ballot.actor)
            return Authorised(person=person, standing=NONE, others={}, emergency=role)
        standing = await self.standings.of(row, person, ballot.actor)
        others: dict[str, frozenset[int]] = {}
        people: set[str] = set()
        for vote in outcome_of(row).votes if standing.counts else ():
            who = vote.seat or self.services.directory.principal(vote.id)
            others[vote.id] = frozenset() if who in people else await self.standings.still(row, vote)
            people.add(who)  # accounts that were linked since are one person
        return Authorised(person=person, standing=standing, others=others)

    async def turn_away(self, row: ApprovalState, person: Person, standing: Standing, ballot: Ballot) -> Reply:
        """Refuse somebody who does not count, on the record."""
        now = self.services.clock.now()
        told = {"person": person.id, "account": ballot.actor.account, "verb": ballot.verb}
        await self.services.store.write(lambda session: writing.tell(session, now, "approval.turned_away", row, **told))
        if row.state != rows.PENDING and person.can_decide and not standing.excluded:
            return refused(wording.closed(row))
        if ballot.verb == GLASS:
            return refused(wording.no_emergency(row))
        return refused(wording.not_yours(row, person, ballot.actor, excluded=standing.excluded))

    def _record(self, session: Session, *, ballot: Ballot, known: Authorised, seen: ApprovalState) -> Reply | None:
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
        if row.revision != seen.revision:
            return None
        if ballot.unseen and ballot.verb in LETTING and writing.unread(session, row):
            return refused(wording.not_shown(row))
        if known.emergency:
            return self._break_glass(session, row, ballot, known)
        outcome = outcome_of(row)
        if taken := self._seat_taken(row, outcome, known):
            return refused(taken)
        if {vote.id for vote in outcome.votes} - known.others.keys():
            return None
        return self._cast(session, row, ballot, known)

    def _seat_taken(self, row: ApprovalState, outcome: Outcome, known: Authorised) -> str:
        """Why no further vote of this person, or for the one whom they stand in for, is counted; empty where it is."""
        person, seat = known.person, known.standing.seat
        for vote in outcome.votes:
            if self.services.directory.one_human(vote.id, person.id):
                return wording.already_voted(row)
            if vote.seat == person.id:
                return f"{vote.name} has voted on {row.ref} for you while you were away. {wording.tally(row)}."
            if seat and seat in {vote.id, vote.seat}:
                return f"The vote of {known.standing.seat_name} on {row.ref} is cast already. {wording.tally(row)}."
        return ""

    def _cast(self, session: Session, row: ApprovalState, ballot: Ballot, known: Authorised) -> Reply:
        now, outcome = self.services.clock.now(), outcome_of(row)
        votes = stages.as_they_stand(outcome.votes, known.others)
        stage = stages.current(policy_of(row), votes)
        groups = known.standing.groups & stages.groups_of(policy_of(row), stage)
        if not groups:
            if votes != outcome.votes:  # somebody of an earlier stage counts no longer, and the card has to say so
                writing.note(session, row, outcome.model_copy(update={"votes": votes, "stage_at": None}))
                writing.redraw(session, row)
            return refused(wording.not_yet(row))
        vote = {"principal": known.person.id, "verb": ballot.verb, "reason": ballot.reason}
        if not rows.add_vote(session, row, now, account=ballot.actor.account, seat=known.standing.seat, **vote):
            return refused(wording.already_voted(row))
        voter = Voter(
            id=known.person.id,
            name=known.person.name,
            verb=ballot.verb,
            groups=tuple(sorted(groups)),
            cast=tuple(sorted(groups)),
            seat=known.standing.seat,
            seat_name=known.standing.seat_name,
            event=ballot.event,
        )
        return self._count(session, row, ballot, outcome.model_copy(update={"votes": (*votes, voter)}), voter)

    def _count(self, session: Session, row: ApprovalState, ballot: Ballot, outcome: Outcome, voter: Voter) -> Reply:
        now, policy = self.services.clock.now(), policy_of(row)
        told = {"person": voter.id, "account": ballot.actor.account, "verb": ballot.verb}
        voted = writing.record("approval.vote", row, **told, **({"for": voter.seat} if voter.seat else {}))
        rejections = [vote for vote in outcome.votes if vote.verb == "reject" and vote.groups]
        if row.kind == "unknown" or len(rejections) >= policy.reject:
            return self._close(session, row, ballot, outcome, voter, voted)
        stage = stages.current(policy, outcome.votes)
        if stage is not None:
            if outcome.votes and stage != stages.current(policy, outcome.votes[:-1]):
                outcome = outcome.model_copy(update={"stage_at": now})
                planning.begin_stage(session, row, stage, now)
            ledger.append_all(session, now, (voted,))
            writing.note(session, row, outcome)
            writing.redraw(session, row)
            return _reply(session, row, ballot)
        counted = [vote for vote in outcome.votes if vote.verb == "approve" and vote.groups]
        outcome = outcome.model_copy(update={"by": wording.listed(vote.shown for vote in counted)})
        outcome = giving.give(session, self.services, row, outcome, now)
        writing.close(session, row, rows.APPROVED, outcome, now, voted, by=[vote.id for vote in counted])
        return _reply(session, row, ballot)

    def _close(  # noqa: PLR0917  what a decision consists of
        self,
        session: Session,
        row: ApprovalState,
        ballot: Ballot,
        outcome: Outcome,
        voter: Voter,
        voted: ledger.Record,
    ) -> Reply:
        """An answer that decides by itself: a rejection that suffices, what became of an unknown outcome."""
        unknown = row.kind == "unknown"
        rejecting = [voter] if unknown else [vote for vote in outcome.votes if vote.verb == "reject"]
        outcome = outcome.model_copy(
            update={
                "by": wording.listed(vote.shown for vote in rejecting),
                "reason": "" if unknown else ballot.reason,
                "answer": ballot.verb if unknown else "",
                "result": ballot.reason if unknown else "",
            }
        )
        state = ANSWERS.get(ballot.verb, rows.REJECTED)
        now, by = self.services.clock.now(), [vote.id for vote in rejecting]
        writing.close(session, row, state, outcome, now, voted, by=by)
        return _reply(session, row, ballot)

    def _break_glass(self, session: Session, row: ApprovalState, ballot: Ballot, known: Authorised) -> Reply:
        """One person decides alone, and everybody reads why."""
        now, person = self.services.clock.now(), known.person
        vote = {"principal": person.id, "verb": GLASS, "reason": ballot.reason}
        rows.add_vote(session, row, now, account=ballot.actor.account, **vote)  # who has voted before may still do it
        voter = Voter(id=person.id, name=person.name, verb=GLASS, event=ballot.event)
        outcome = outcome_of(row)
        update = {"votes": (*outcome.votes, voter), "by": person.name, "reason": ballot.reason, "offer": None}
        outcome = outcome.model_copy(update={**update, "broke_glass": known.emergency})
        told = {"person": person.id, "account": ballot.actor.account, "role": known.emergency, "reason": ballot.reason}
        broke = writing.record("approval.break_glass", row, **told)
        writing.close(session, row, rows.APPROVED, outcome, now, broke, by=[person.id])
        writing.announce(session, self.services, row, wording.broke_glass(row))
        return _reply(session, row, ballot)


def _complaint(row: ApprovalState, ballot: Ballot) -> str:
    """What is wrong with the ballot itself; empty where nothing is."""
    if row.state != rows.PENDING:
        return wording.closed(row)
    if ballot.revision is not None and ballot.revision != row.revision:
        return wording.old_revision(row, ballot.revision)
    if ballot.verb not in VERBS[row.kind]:
        return f"“{ballot.verb[:20]}” is no answer to {row.ref}. Use the buttons of the current card."
    if ballot.verb in REASONED and not REASON[0] <= len(ballot.reason.strip()) <= REASON[1]:
        why = REASONED[ballot.verb]
        return f"A reason of {REASON[0]} to {REASON[1]} characters is needed {why}, so nothing was recorded."
    if ballot.verb == "approve" and policy_of(row).confirm and ballot.target != preview_of(row).target:
        return (
            "What you typed is not exactly the target of this call, so nothing was recorded. "
            "Compare it letter by letter: somebody outside the team wrote it."
        )
    return ""


def voted_by(row: ApprovalState, event: str) -> Voter | None:
    """The vote that this event has brought already, if it has: the process died before it could say so."""
    return next((vote for vote in outcome_of(row).votes if event and vote.event == event), None)


def _reply(session: Session, row: ApprovalState, ballot: Ballot) -> Reply:
    then = _then(session, row) if row.state != rows.PENDING else ""
    return Reply(text=_said(row, ballot, then), ok=True, then=then)


def _then(session: Session, row: ApprovalState) -> str:
    """What happens next, where a run has waited for the decision."""
    run = session.get(runs.Run, row.run_id)
    if run is None or run.state in runs.FINAL or promotions.is_about(row.call_id):
        return ""
    channel = preview_of(row).channel
    freeze = freezing.covering(freezes.in_force(session), agent=row.agent, channel=channel, tool=row.tool)
    return (
        "The run goes on." if freeze is None else f"The run goes on once {freezing.in_words(freeze.scope)} is thawed."
    )


def _said(row: ApprovalState, ballot: Ballot, then: str = "") -> str:
    """What whoever has voted is told of it."""
    headline, outcome = preview_of(row).headline, outcome_of(row)
    if ballot.verb in DECIDING and row.state not in SETTLED[ballot.verb]:
        what = "rejection" if ballot.verb == "reject" else "approval"
        return f"Your {what} is recorded: {wording.tally(row)}."
    given = f" {wording.given(outcome.offer)}" if outcome.offer else ""
    then = f" {then}" if then else ""
    return {
        "approve": f"Approved: {headline}.{then}{given}",
        GLASS: f"Decided by you alone; your reason is posted where the team reads it.{then}",
        "reject": f"Rejected: {headline}. The agent gets your reason.",
        "done": f"Noted as done: {headline}.",
        "repeat": f"It is repeated now: {headline}.",
        "give_up": f"Given up: {headline}.",
    }[ballot.verb]
