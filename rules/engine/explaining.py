"""What waits for a person, and the answers to "why was I asked?" and "why could it do that?"."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from kernel.people import RoleUnknownError
from kernel.store import approvals as rows
from kernel.store import runs
from kernel.types import Frozen, Place
from rules.engine import stages, wording
from rules.engine.cards import card
from rules.engine.policy import in_full
from rules.engine.receipt_text import markdown
from rules.engine.receipts import receipt
from rules.engine.record import outcome_of, policy_of, preview_of
from rules.engine.standing import Standings

if TYPE_CHECKING:
    from kernel.store import Session
    from kernel.store.approvals import ApprovalState
    from kernel.types import Actor, Person
    from rules.engine.services import Services

Reads = Callable[[Place], bool]  # whether a person can read what is said in a place

PAGE = 500  # pending approvals that are looked through for one person


def not_a_dm(place: Place) -> bool:
    """What everybody is taken to read who was shown a card: what is no direct message."""
    return place.kind != "dm"


class Waiting(Frozen):
    """One approval that a person can decide."""

    ref: str
    batch: str  # the card on which it stands with others; empty: it has a card of its own
    revision: int
    headline: str
    state: str
    agent: str
    requester: str  # name
    place: Place  # of the request
    asked_at: datetime
    expires_at: datetime | None


class Explaining:
    """Answers questions about approvals and calls."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.standings = Standings(services)

    async def waiting_for(self, person: Person, actor: Actor | None, limit: int) -> list[Waiting]:
        """What the person can decide now; a role that cannot be looked up gives nothing."""
        pending = await self.services.store.read(lambda session: rows.pending(session, PAGE))
        found: list[Waiting] = []
        for row in pending:
            if len(found) == limit:
                break
            if any(person.id in {vote.id, vote.seat} for vote in outcome_of(row).votes):
                continue
            try:
                standing = await self.standings.of(row, person, actor)
            except RoleUnknownError:
                continue
            if standing.groups & stages.groups_of(
                policy_of(row), stages.current(policy_of(row), outcome_of(row).votes)
            ):
                found.append(_waiting(row))
        return found

    async def why(self, ref: str, person: Person | None, reads: Reads) -> str:
        """Markdown about an approval or a run, with its receipt; whoever has no part in it gets no content."""
        if ref.startswith("R-"):
            return await self.services.store.read(lambda session: self._run(session, ref, person, reads))
        row = await self.services.store.read(lambda session: rows.by_ref(session, ref))
        if row is None:
            return wording.unknown(ref)
        if person is not None and not await self._may_see(row, person, reads):
            return f"{ref} was asked where you cannot read; only who asked and who decides can look into it."
        found = await self.services.store.read(lambda session: receipt(session, ref, self._name))
        return f"{_approval(row)}\n\n{markdown(found)}" if found is not None else _approval(row)

    async def _may_see(self, row: ApprovalState, person: Person, reads: Reads) -> bool:
        if reads(preview_of(row).place) or person.id == self.services.directory.principal(row.requester):
            return True
        try:
            standing = await self.standings.of(row, person)
        except RoleUnknownError:
            return False
        return standing.counts

    def _name(self, person_id: str) -> str:
        person = self.services.directory.by_id(person_id)
        return person.name if person is not None else person_id

    def _run(self, session: Session, ref: str, person: Person | None, reads: Reads) -> str:
        run = runs.by_ref(session, ref)
        if run is None:
            return f"There is no run {ref}."
        mine = person is None or self.services.directory.principal(run.requester) == person.id
        if not mine and not reads(run.where):
            return f"{ref} was asked where you cannot read; only who asked can look into it."
        found = receipt(session, ref, self._name)
        return markdown(found) if found is not None else f"There is no run {ref}."


def _approval(row: ApprovalState) -> str:
    preview, policy = preview_of(row), policy_of(row)
    rules = ", ".join(row.rules["ids"]) or "none decides, so people are asked"
    lines = [
        f"**{row.ref}** {wording.plain_markdown(preview.headline)}",
        f"- **Why it is asked:** {row.reason}",
        f"- **Why not without asking:** {preview.nearest}" if preview.nearest else "",
        f"- **Rule:** {rules} (version {row.rules['version'][:12]})",
        f"- **Who decides:** {in_full(policy)}",
        *(f"- **Vote** of {vote.shown}: {vote.verb.replace('_', ' ')}" for vote in outcome_of(row).votes),
        f"- **Where the values come from:** {preview.values}" if preview.values else "",
        f"- **Exactly this call:** revision {row.revision}, digest `{row.digest[:16]}…`",
        *(f"- **Edited** by {edit.by}: {', '.join(edit.changed)}" for edit in outcome_of(row).edits),
        f"- **State:** {card(row).state}",
    ]
    return "\n".join(line for line in lines if line)


def _waiting(row: ApprovalState) -> Waiting:
    preview = preview_of(row)
    return Waiting(
        ref=row.ref,
        batch=row.batch,
        revision=row.revision,
        headline=preview.headline,
        state=wording.tally(row),
        agent=row.agent,
        requester=preview.requester,
        place=preview.place,
        asked_at=row.created_at,
        expires_at=row.expires_at,
    )
