"""What waits for a person, and the answers to "why was I asked?" and "why could it do that?"."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from kernel.people import RoleUnknownError
from kernel.store import approvals as rows
from kernel.store import runs
from kernel.types import Frozen, Place
from rules.engine import stages, wording
from rules.engine.cards import card
from rules.engine.policy import in_full
from rules.engine.record import outcome_of, policy_of, preview_of
from rules.engine.standing import Standings

if TYPE_CHECKING:
    from kernel.store import Session
    from kernel.store.approvals import ApprovalState
    from kernel.store.runs import Call
    from kernel.types import Actor, Person
    from rules.engine.services import Services

PAGE = 500  # pending approvals that are looked through for one person


class Waiting(Frozen):
    """One approval that a person can decide."""

    ref: str
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

    async def why(self, ref: str, person: Person | None) -> str:
        """Markdown about an approval or a run; whoever has no part in it gets no content."""
        if ref.startswith("R-"):
            return await self.services.store.read(lambda session: self._run(session, ref, person))
        row = await self.services.store.read(lambda session: rows.by_ref(session, ref))
        if row is None:
            return wording.unknown(ref)
        if person is not None and not await self._may_see(row, person):
            return f"{ref} was asked in a direct message; only who asked and who decides can look into it."
        return _approval(row)

    async def _may_see(self, row: ApprovalState, person: Person) -> bool:
        if preview_of(row).place.kind != "dm" or person.id == self.services.directory.principal(row.requester):
            return True
        try:
            standing = await self.standings.of(row, person)
        except RoleUnknownError:
            return False
        return standing.counts

    def _run(self, session: Session, ref: str, person: Person | None) -> str:
        run = runs.by_ref(session, ref)
        if run is None:
            return f"There is no run {ref}."
        if (
            person is not None
            and run.where.kind == "dm"
            and self.services.directory.principal(run.requester) != person.id
        ):
            return f"{ref} was asked in a direct message; only who asked can look into it."
        made = runs.calls(session, run.id)
        if not made:
            return f"{ref} has used no tool so far."
        approvals = {row.call_id: row for row in rows.of_run(session, run.id)}
        return f"What **{ref}** did:\n\n" + "\n".join(_call(call, approvals.get(call.id)) for call in made)


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


def _call(call: Call, approval: ApprovalState | None) -> str:
    verdict = call.verdict or {}
    by = ", ".join(verdict.get("rules", ())) or "default"
    decided = f"{verdict.get('decision', 'not judged')} by {by}"
    asked = f" · {approval.ref}: {card(approval).state}" if approval is not None else ""
    return f"- `{call.tool}` · {call.state} · {decided}: {verdict.get('reason', '')}{asked}"


def _waiting(row: ApprovalState) -> Waiting:
    preview = preview_of(row)
    return Waiting(
        ref=row.ref,
        revision=row.revision,
        headline=preview.headline,
        state=wording.tally(row),
        agent=row.agent,
        requester=preview.requester,
        place=preview.place,
        asked_at=row.created_at,
        expires_at=row.expires_at,
    )
