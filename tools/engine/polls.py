"""Polls that agents open: the card with its buttons, and the choices of people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel import ledger
from kernel.errors import NotAllowed, NotFound, OutOfDate
from kernel.store import outbox
from kernel.store import polls as rows
from kernel.types import Action, Card, Fact

if TYPE_CHECKING:
    from kernel.clock import Clock
    from kernel.people import Directory
    from kernel.store import Session, Store
    from kernel.types import Actor, Form, Person, Press

PREFIX = "V-"  # of the reference
CHOOSE, CLOSE = "choose", "close"
NAMED = 200  # characters of the names beside an option


def card(poll: rows.Poll, votes: list[rows.PollVote], names: dict[str, str]) -> Card:
    """The poll as it stands."""
    count = f"{len(votes)} vote{'' if len(votes) == 1 else 's'}"
    is_open = poll.closed_at is None
    return Card(
        headline=poll.question,
        state=f"Open · {count} · your last choice counts" if is_open else f"Closed · {count}",
        tone="waiting" if is_open else "good",
        facts=tuple(
            Fact(label=str(option), value=_tally([vote for vote in votes if vote.choice == number], names))
            for number, option in enumerate(poll.options)
        ),
        actions=_actions(poll) if is_open else (),
        footer=f"{poll.ref} · {poll.run_ref}",
    )


def _tally(votes: list[rows.PollVote], names: dict[str, str]) -> str:
    who = ", ".join(names.get(vote.person, vote.person) for vote in votes)
    return f"{len(votes)}: {who}"[:NAMED] if votes else "0"


def _actions(poll: rows.Poll) -> tuple[Action, ...]:
    options = (
        Action(subject=poll.ref, verb=f"{CHOOSE}-{number}", label=str(option)[:34])
        for number, option in enumerate(poll.options)
    )
    return (*options, Action(subject=poll.ref, verb=CLOSE, label="Close the poll", more=True))


class Polls:
    """Takes the choices. Every refusal is an error whose sentence is for the person alone."""

    def __init__(self, store: Store, clock: Clock, directory: Directory) -> None:
        self.store = store
        self.clock = clock
        self.directory = directory

    async def answer(self, press: Press, person: Person, actor: Actor) -> Form | str:
        """Count the choice, or close the poll; what to tell the person privately."""
        if not (person.listed and person.can_decide):
            raise NotAllowed("Polls are for people of the team. Nothing was recorded.")
        voter = self.directory.principal(person.id)  # one human, one vote, whatever accounts they use

        def write(session: Session) -> str:
            poll = rows.by_ref(session, press.subject)
            if poll is None:
                raise NotFound(f"There is no poll {press.subject[:20]}.")
            if poll.closed_at is not None:
                raise OutOfDate("The poll is closed. Nothing was recorded.")
            told = (
                self._close(session, poll, person) if press.verb == CLOSE else self._choose(session, poll, press, voter)
            )
            outbox.revise_copies(
                session, poll.ref, card(poll, rows.votes(session, poll.id), self._names(session, poll))
            )
            return told

        return await self.store.write(write)

    def _choose(self, session: Session, poll: rows.Poll, press: Press, voter: str) -> str:
        _, _, number = press.verb.partition("-")
        if not number.isdigit() or int(number) >= len(poll.options):
            raise OutOfDate("The poll has no such option. Nothing was recorded.")
        choice = int(number)
        rows.vote(session, rows.PollVote(poll_id=poll.id, person=voter, choice=choice, voted_at=self.clock.now()))
        session.flush()
        return f"Your choice in {poll.ref}: {poll.options[choice]}."

    def _close(self, session: Session, poll: rows.Poll, person: Person) -> str:
        if self.directory.principal(poll.requester) != self.directory.principal(person.id):
            raise NotAllowed(f"Only whoever asked for {poll.ref} closes it. Nothing was recorded.")
        poll.closed_at = self.clock.now()
        session.add(poll)
        votes = {vote.person: vote.choice for vote in rows.votes(session, poll.id)}
        ledger.append(session, self.clock.now(), "poll.closed", poll.ref, {"by": person.id, "votes": votes})
        return f"{poll.ref} is closed."

    def _names(self, session: Session, poll: rows.Poll) -> dict[str, str]:
        found = {vote.person: self.directory.by_id(vote.person) for vote in rows.votes(session, poll.id)}
        return {key: one.name for key, one in found.items() if one is not None}
