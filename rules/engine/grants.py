"""Standing permissions: proposing one with an approval, using it instead of asking, listing and ending them.

A permission never lets through what the people who gave it could not approve now, under the rules of now.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from kernel import ledger
from kernel.errors import NotAllowed, NotFound
from kernel.people import RoleUnknownError
from kernel.store import approvals as rows
from kernel.store import grants
from kernel.store.approvals import ApprovalState
from rules.engine import giving, planning, stages, wording, writing
from rules.engine.facts import Granted
from rules.engine.metering import OverspentError
from rules.engine.policy import ADMIN, Policy
from rules.engine.record import Offer, Outcome, Voter, outcome_of, policy_of
from rules.engine.standing import Standings
from rules.engine.wording import Reply, refused
from rules.engine.words import in_time, seconds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from kernel.store import Session
    from kernel.types import Actor, Person
    from rules.engine.edits import Edits
    from rules.engine.facts import CallFacts
    from rules.engine.ruleset import RuleSet
    from rules.engine.services import Services

log = logging.getLogger(__name__)

FROM_ELSEWHERE = frozenset({"outside_text", "nowhere"})


class Grants:
    """Gives, uses and ends standing permissions."""

    def __init__(self, services: Services, edits: Edits) -> None:
        self.services = services
        self.standings = Standings(services)
        self._edits = edits

    # -- giving -------------------------------------------------------------------------------------------------

    async def propose(
        self, ref: str, revision: int | None, fields: Mapping[str, str] | None, actor: Actor
    ) -> tuple[Reply, int]:
        """Offer a permission together with the approval: a new revision, which everybody who has to agree sees.

        Without fields the offer is taken back. `revision` is what the person saw; None: whatever is current. The
        second value is the revision that it made.
        """
        row = await self.services.store.read(lambda session: rows.by_ref(session, ref))
        if row is None:
            return refused(wording.unknown(ref)), 0
        person = self.services.directory.person(actor)
        complaint = await self._edits.turned_away(row, row.revision if revision is None else revision, person, actor)
        if complaint:
            return refused(complaint), 0
        offer: Offer | None = None
        if fields is not None:
            made = self._offer(row, fields, person)
            if isinstance(made, str):
                return refused(made), 0
            offer = made
        elif outcome_of(row).offer is None:
            return refused("Nothing is proposed with it, so nothing was changed."), 0
        reply = await self.services.store.write(lambda session: self._revise(session, row, offer, person))
        return reply, row.revision + 1

    def _offer(self, row: ApprovalState, fields: Mapping[str, str], person: Person) -> Offer | str:
        """The offer that was typed, or what is wrong with it."""
        terms, tool = giving.terms_of(row), self.services.tools.get(row.tool)
        if terms is None or tool is None:
            return giving.NOT_PERMITTED
        calls, wanted = fields.get("calls", "").strip(), fields.get("lasts", "").strip()
        if not calls.isdecimal() or not 1 <= int(calls[:9]) <= terms.calls:
            return f"How often is a number from 1 to {terms.calls}, so nothing was changed."
        try:
            lasts = seconds(wanted)
        except ValueError as error:
            return f"Nothing was changed: {error}."
        if lasts > terms.lasts:
            return f"At most {in_time(terms.lasts)}, so nothing was changed."
        scope = giving.scope_of(tool, terms, row.arguments)
        return Offer(by=person.name, calls=int(calls), lasts=lasts, scope=scope)

    def _revise(self, session: Session, seen: ApprovalState, offer: Offer | None, person: Person) -> Reply:
        now = self.services.clock.now()
        row = rows.by_ref(session, seen.ref, lock=True)
        if row is None:
            return refused(wording.unknown(seen.ref))
        if row.state != rows.PENDING or (row.expires_at is not None and row.expires_at <= now):
            return refused(wording.closed(row) if row.state != rows.PENDING else f"{row.ref} has expired.")
        if row.revision != seen.revision:
            return refused(wording.old_revision(row, seen.revision))
        fresh = {"votes": (), "offer": offer, "stage_at": None}
        row.outcome = writing.stored(outcome_of(row).model_copy(update=fresh))
        row.revision += 1
        rows.save(session, row, "outcome", "revision")
        planning.again(session, row, now)
        told = {"person": person.id, "offer": offer.model_dump(mode="json") if offer else None}
        writing.tell(session, now, "approval.offer", row, **told)
        writing.redraw(session, row)
        return Reply(text=f"{row.ref} is now revision {row.revision}; earlier votes do not count for it.", ok=True)

    # -- using --------------------------------------------------------------------------------------------------

    async def standing(self, facts: CallFacts) -> CallFacts:
        """The facts with those permissions alone that whoever gave them could give now, for this requester."""
        if not facts.grants:
            return facts
        kept = [each for each in facts.grants if await self._still_given(each.ref, facts.requester or "")]
        return replace(facts, grants=tuple(kept))

    async def _still_given(self, ref: str, requester: str) -> bool:
        """Whether those who gave it could give it now for this requester: roles count as they are."""
        grant = await self.services.store.read(lambda session: grants.by_ref(session, ref))
        if grant is None:
            return False
        votes = tuple(Voter.model_validate(giver) for giver in grant.givers)
        asked = _as_approval(grant, requester, votes)
        try:
            standing = {vote.id: await self.standings.still(asked, vote) for vote in votes}
        except RoleUnknownError:
            log.warning("%s is not used: the roles of those who gave it cannot be looked up", grant.ref)
            return False
        return stages.current(policy_of(asked), stages.as_they_stand(votes, standing)) is None

    # -- listing and ending -------------------------------------------------------------------------------------

    async def listed(self) -> str:
        """What may be done without asking, as Markdown."""
        now = self.services.clock.now()
        known = await self.services.store.read(lambda session: grants.listing(session, now))
        if not known:
            return "No standing permissions: everything that the rules ask for is asked each time."
        lines = [
            f"| {one.ref} | {one.agent}: {one.tool} | {_cell(wording.scope_in_words(one.scope))} "
            f"| {one.calls - one.used} of {one.calls} | {one.expires_at:%d %b %Y} | {_cell(_givers(one))} |"
            for one in known
        ]
        heads = "| permission | agent and tool | for | left | until | given by |\n|---|---|---|---|---|---|"
        return f"{heads}\n" + "\n".join(lines) + "\n\n`revoke G-…` ends one."

    async def revoke(self, ref: str, person: Person, actor: Actor) -> str:
        """End a permission. Who gave it, who could have, and an admin may; NotAllowed, NotFound."""
        ref = ref.upper()
        grant = await self.services.store.read(lambda session: grants.by_ref(session, ref))
        if grant is None:
            raise NotFound(f"There is no standing permission {ref}.")
        if not await self._may_revoke(grant, person, actor):
            raise NotAllowed(f"Only those who decide about {grant.tool}, or an administrator, may end {ref}.")
        if not await self.services.store.write(lambda session: self.end(session, ref, person.name)):
            return f"{ref} is over already."
        return f"{ref} is over: {grant.tool} is asked for again each time."

    def end(self, session: Session, ref: str, by: str) -> bool:
        """End it in the caller's transaction; False if it was over."""
        now = self.services.clock.now()
        if not grants.revoke(session, ref, by, now):
            return False
        ledger.append(session, now, "grant.revoked", ref, {"by": by})
        return True

    async def _may_revoke(self, grant: grants.Grant, person: Person, actor: Actor) -> bool:
        if not person.can_decide:
            return False
        if any(giver["id"] == person.id for giver in grant.givers):
            return True
        for role in (*Policy.model_validate(grant.policy).roles, ADMIN):
            try:
                if await self.services.directory.holds(person, role, actor):
                    return True
            except RoleUnknownError:
                continue
        return False


class Granting:
    """`surroundings.Source` of the standing permissions that cover a call: scope, count and date are looked at."""

    def concerns(self, rules: RuleSet, facts: CallFacts) -> bool:
        """Whether a rule that asks about this call lets people give permissions."""
        known = rules.candidates(facts.agent, facts.tool, facts.effect)
        known = known.trial or known
        return any(
            each.policy is not None and each.policy.grant is not None for each in (*known.ask, *known.otherwise_ask)
        )

    def known(self, session: Session, rules: RuleSet, facts: CallFacts) -> Mapping[str, object]:
        """Those that hold now, the one that ends first before the others."""
        if facts.now is None:
            return {}
        found = grants.of_tool(session, facts.agent, facts.tool, facts.now)
        return {"grants": tuple(_granted(grant) for grant in found if _fits(grant, facts))}


class GrantUsedUpError(OverspentError):
    """Another call was faster to use the permission, or it was ended: the call is judged again."""


def use(session: Session, ref: str, call_id: str, now: datetime) -> None:
    """Count a call that begins under a permission, in the same transaction. GrantUsedUpError where it is over."""
    grant = grants.by_ref(session, ref)
    number = grants.use(session, grant.id, now) if grant is not None else None
    if grant is None or number is None:
        raise GrantUsedUpError
    told = {"call": call_id, "number": number, "of": grant.calls, "by": [giver["id"] for giver in grant.givers]}
    ledger.append(session, now, "grant.used", ref, told)


def _granted(grant: grants.Grant) -> Granted:
    left, until = grant.calls - grant.used, f"{grant.expires_at:%d %b %Y}"
    told = f"given by {_givers(grant)} with {grant.approval}, {left} of {grant.calls} calls left until {until}"
    return Granted(ref=grant.ref, policy=Policy.model_validate(grant.policy), told=told)


def _fits(grant: grants.Grant, facts: CallFacts) -> bool:
    """Within the scope, and nothing that it leaves free and that bears authority comes from outside or from nowhere."""
    if facts.authority is None or not giving.covers(grant.scope, facts.arguments):
        return False
    free = [name for name in facts.authority if "is" not in grant.scope.get(name, {})]
    free += facts.texts or ()
    found = [origins for name in free for origins in facts.origins.get(name, ())]
    return not any(origins <= FROM_ELSEWHERE for origins in found)


def _as_approval(grant: grants.Grant, requester: str, votes: tuple[Voter, ...]) -> ApprovalState:
    """The permission as the approval by which it would be given now, asked for by who asks now."""
    return ApprovalState(
        id=grant.id,
        ref=grant.approval,
        call_id="",
        run_id="",
        agent=grant.agent,
        tool=grant.tool,
        requester=requester,
        arguments={},
        digest="",
        origins={},
        preview={},
        policy=grant.policy,
        rules={"ids": [], "version": ""},
        reason="",
        outcome=writing.stored(Outcome(votes=votes)),
        created_at=grant.created_at,
    )


def _givers(grant: grants.Grant) -> str:
    return wording.listed(Voter.model_validate(giver).shown for giver in grant.givers)


def _cell(text: str) -> str:
    return wording.plain_markdown(text)
