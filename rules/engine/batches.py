"""Deciding several calls on one card. Each call keeps its own digest, its own votes and its own execution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errors import NotAllowed, NotFound, OutOfDate
from kernel.people import RoleUnknownError
from kernel.store import approvals as rows
from rules.engine import batch_forms, wording
from rules.engine.batch_cards import headline, pending, revision, together
from rules.engine.batch_forms import KEEP, REJECT
from rules.engine.cards import card
from rules.engine.record import preview_of
from rules.engine.retiring import is_admin
from rules.engine.standing import NONE, Standings
from rules.engine.votes import REASON, Ballot, voted_by

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kernel.store.approvals import ApprovalState
    from kernel.types import Actor, Form, Person, Press
    from rules.engine.batch_cards import Items
    from rules.engine.explaining import Reads
    from rules.engine.retiring import Retiring
    from rules.engine.services import Services
    from rules.engine.votes import Votes
    from rules.engine.wording import Reply

FORMS: dict[str, Callable[[Items], Form]] = {
    "choose": batch_forms.choose_form,
    "reject": batch_forms.reject_form,
    "one": batch_forms.one_form,
    "withdraw": batch_forms.withdraw_form,
}
NOTHING = "Nothing was recorded."


class Batches:
    """Everything that can be done on a card of several calls."""

    def __init__(self, services: Services, votes: Votes, retiring: Retiring) -> None:
        self.services = services
        self.standings = Standings(services)
        self._votes = votes
        self._retiring = retiring

    async def answer(self, press: Press, actor: Actor) -> Form | str:
        """What comes of a press: a dialog, or, once everything is recorded, what to tell the person privately.

        NotFound, OutOfDate and NotAllowed say why there is no dialog for this person.
        """
        if press.verb in FORMS and not press.fields:
            return await self._form(press, actor)
        return await self.press(press, actor)

    async def form(self, press: Press, actor: Actor) -> Form | None:
        """The dialog that this press opens; None where it counts by itself."""
        return await self._form(press, actor) if press.verb in FORMS else None

    async def press(self, press: Press, actor: Actor, *, current: bool = False) -> str:
        """Do what a button, a dialog or a text says; `current`: to the card as it stands, whichever was seen."""
        items, verb, fields = await self._items(press.subject), press.verb, press.fields
        if not items:
            return wording.unknown(press.subject)
        if verb == "review":
            return await self._retiring.review(items[0].ref, actor, of_batch=True)
        if not current and press.revision != revision(items):
            return _out_of_date(items)
        reason = fields.get("reason", "").strip()
        if verb == "withdraw":
            return await self._withdraw(items, reason, actor)
        if verb == "one":
            which = fields.get("which", "").strip()
            return await self._retiring.review(which, actor) if which in _refs(items) else _not_there(items)
        if verb == "choose":
            return await self._choose(items, press, reason, actor)
        if verb in {"approve", "reject"}:
            chosen = [(row, verb) for row in together(items)]
            return await self._decide(items, chosen, reason, actor, event=press.event, unseen=current)
        return f"“{verb[:20]}” is no answer to {items[0].batch}. Use the buttons of the current card."

    async def why(self, ref: str, person: Person | None, reads: Reads) -> str:
        """What stands on the card; Markdown. Whoever has no part in it gets no content."""
        items = await self._items(ref)
        if not items:
            return wording.unknown(ref)
        if person is not None and not await self._may_see(items, person, reads):
            return f"{items[0].batch} was asked where you cannot read; only who asked and who decides can look into it."
        lines = [f"**{items[0].batch}** {wording.plain_markdown(headline(items))}", ""]
        lines += [
            f"- **{row.ref}** {wording.plain_markdown(preview_of(row).headline)} · {card(row).state}" for row in items
        ]
        return "\n".join([*lines, "", f"`why {items[0].ref}` says more of one."])

    async def _items(self, ref: str) -> list[ApprovalState]:
        return await self.services.store.read(lambda session: rows.of_batch(session, ref))

    # -- who may ------------------------------------------------------------------------------------------------

    async def _form(self, press: Press, actor: Actor) -> Form:
        items = await self._items(press.subject)
        if not items:
            raise NotFound(wording.unknown(press.subject))
        person = self.services.directory.person(actor)
        asked = self.services.directory.principal(items[0].requester) == person.id
        if press.verb == "withdraw":
            if not asked and not await is_admin(self.services, person, actor):
                raise NotAllowed(
                    f"Only {preview_of(items[0]).requester}, who asked for it, can withdraw {press.subject}."
                )
        elif not (press.verb == "one" and asked):
            away = await self._turned_away(items, press.verb, actor)
            if away:
                raise NotAllowed(away)
        if press.revision != revision(items):
            raise OutOfDate(_out_of_date(items))
        if not (together(items) if press.verb in {"choose", "reject"} else pending(items)):
            raise OutOfDate(_nothing_left(items))
        return FORMS[press.verb](items)

    async def _turned_away(self, items: Items, verb: str, actor: Actor) -> str:
        """Refuses somebody who counts for none of the calls, once and on the record; empty where they count."""
        person, standing = self.services.directory.person(actor), NONE
        try:
            for row in items:
                standing = await self.standings.of(row, person, actor)
                if standing.counts:
                    return ""
        except RoleUnknownError:
            return wording.cannot_verify()
        row = next(iter(pending(items)), items[-1])
        ballot = Ballot(ref=row.ref, revision=row.revision, verb=verb, actor=actor)
        return (await self._votes.turn_away(row, person, standing, ballot)).text

    async def _may_see(self, items: Items, person: Person, reads: Reads) -> bool:
        if reads(preview_of(items[0]).place) or person.id == self.services.directory.principal(items[0].requester):
            return True
        try:
            return any([(await self.standings.of(row, person)).counts for row in items])
        except RoleUnknownError:
            return False

    # -- deciding -----------------------------------------------------------------------------------------------

    async def _choose(self, items: Items, press: Press, reason: str, actor: Actor) -> str:
        fields = press.fields
        picked, others = set(fields.get("approve", "").split()), fields.get("others", KEEP).strip() or KEEP
        if not picked <= set(_refs(items)) or others not in {KEEP, REJECT}:
            return _not_there(items)
        if others == REJECT and not REASON[0] <= len(reason) <= REASON[1]:
            return f"A reason of {REASON[0]} to {REASON[1]} characters is needed to reject. {NOTHING}"
        ready = together(items)
        chosen = [(row, "approve") for row in ready if row.ref in picked]
        if others == REJECT:
            chosen += [(row, "reject") for row in ready if row.ref not in picked]
        return await self._decide(items, chosen, reason, actor, event=press.event)

    async def _decide(
        self,
        items: Items,
        chosen: Sequence[tuple[ApprovalState, str]],
        reason: str,
        actor: Actor,
        *,
        event: str,
        unseen: bool = False,
    ) -> str:
        """One vote for each, bound to the revision of the call that the card shows.

        What the same event has decided before the process died is told with the rest.
        """
        cast = [(row, vote.verb) for row in items if (vote := voted_by(row, event)) is not None]
        known = {row.ref for row, _ in cast}
        chosen = [*cast, *((row, verb) for row, verb in chosen if row.ref not in known)]
        away = await self._turned_away(items, chosen[0][1] if chosen else "approve", actor)
        if away:
            return away
        if not chosen:
            return _nothing_left(items) if not pending(items) else f"You picked nothing. {NOTHING}"
        replies: list[tuple[str, str, Reply]] = []
        for row, verb in chosen:
            said = reason if verb == "reject" else ""
            ballot = Ballot(
                ref=row.ref, revision=row.revision, verb=verb, actor=actor, reason=said, unseen=unseen, event=event
            )
            replies.append((row.ref, verb, await self._votes.cast(ballot, row)))
        after = {row.ref: row for row in await self._items(items[0].batch)}
        return _told(replies, after)

    async def _withdraw(self, items: Items, reason: str, actor: Actor) -> str:
        waiting = pending(items)
        replies = [await self._retiring.withdraw(row.ref, reason, actor) for row in waiting]
        done = [row.ref for row, reply in zip(waiting, replies, strict=True) if reply.ok]
        said = [f"Withdrawn: {wording.listed(done)}. The agent is told."] if done else []
        said += dict.fromkeys(reply.text for reply in replies if not reply.ok)
        return "\n".join(said) or _nothing_left(items)


def _told(replies: Sequence[tuple[str, str, Reply]], after: dict[str, ApprovalState]) -> str:
    """What became of each vote, in as few sentences as possible."""
    decided = [(ref, verb) for ref, verb, reply in replies if reply.ok and after[ref].state != rows.PENDING]
    voted = [(ref, verb) for ref, verb, reply in replies if reply.ok and after[ref].state == rows.PENDING]
    said = []
    for verb, word in (("approve", "Approved"), ("reject", "Rejected")):
        found = [ref for ref, each in decided if each == verb]
        said += [f"{word}: {wording.listed(found)}."] if found else []
    said += dict.fromkeys(reply.then for _, _, reply in replies if reply.then)
    for verb, word in (("approve", "approval"), ("reject", "rejection")):
        found = [ref for ref, each in voted if each == verb]
        said += (
            [f"Your {word} is recorded for {wording.listed(found)}: {wording.tally(after[found[0]])}."] if found else []
        )
    return "\n".join([" ".join(said), *dict.fromkeys(reply.text for _, _, reply in replies if not reply.ok)]).strip()


def _refs(items: Items) -> list[str]:
    return [row.ref for row in items]


def _not_there(items: Items) -> str:
    return f"That is not on the card {items[0].batch}. {NOTHING}"


def _out_of_date(items: Items) -> str:
    return (
        f"This card is out of date: what {items[0].batch} asks for has changed since. {NOTHING[:-1]}; the current card "
        f"is in the thread."
    )


def _nothing_left(items: Items) -> str:
    return f"Nothing on {items[0].batch} waits for a decision on this card any more. {NOTHING}"
