"""Which dialog a press opens, for whom; nothing is recorded by opening one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errors import NotAllowed, OutOfDate
from kernel.people import RoleUnknownError
from kernel.store import approvals as rows
from rules.engine import forms, giving, stages, wording
from rules.engine.record import outcome_of, policy_of, preview_of
from rules.engine.retiring import is_admin
from rules.engine.standing import NONE, Standings
from rules.engine.votes import GLASS, Ballot

if TYPE_CHECKING:
    from kernel.store.approvals import ApprovalState
    from kernel.types import Actor, Form, Person, Press
    from rules.engine.edits import Edits
    from rules.engine.services import Services
    from rules.engine.votes import Votes

# Verbs of presses that may open a dialog.
OPEN_FORMS = frozenset({"approve", "reject", "edit", "ask", "answer", "withdraw", "grant", "done", GLASS})
ASKERS = frozenset({"answer", "withdraw"})  # dialogs for whoever asked for the call


class Dialogs:
    """Opens dialogs for those who may use them."""

    def __init__(self, services: Services, votes: Votes, edits: Edits) -> None:
        self.services = services
        self.standings = Standings(services)
        self._votes = votes
        self._edits = edits

    async def of(self, row: ApprovalState, press: Press, actor: Actor) -> Form | None:
        """The dialog; None where the press counts by itself. NotAllowed and OutOfDate say why there is none."""
        if press.verb == "approve" and not policy_of(row).confirm:
            return None
        person = self.services.directory.person(actor)
        if press.verb in ASKERS:
            return await self._for_asker(row, press, person, actor)
        if press.verb == GLASS:
            return await self._glass(row, press, person, actor)
        await self._may_decide(row, press, person, actor)
        if press.verb == "edit":
            return await self._edit(row, press, person, actor)
        if press.verb == "grant":
            return self._grant(row)
        plain = {"reject": forms.reject_form, "ask": forms.ask_form, "done": forms.done_form}
        return plain.get(press.verb, forms.target_form)(row)

    async def _may_decide(self, row: ApprovalState, press: Press, person: Person, actor: Actor) -> None:
        try:
            standing = await self.standings.of(row, person, actor)
        except RoleUnknownError as error:
            raise NotAllowed(wording.cannot_verify()) from error
        if not standing.counts:
            ballot = Ballot(ref=row.ref, revision=press.revision, verb=press.verb, actor=actor)
            raise NotAllowed((await self._votes.turn_away(row, person, standing, ballot)).text)
        _is_current(row, press)
        asked = stages.current(policy_of(row), outcome_of(row).votes)
        if not standing.groups & stages.groups_of(policy_of(row), asked) and press.verb != "ask":
            raise NotAllowed(wording.not_yet(row))

    async def _for_asker(self, row: ApprovalState, press: Press, person: Person, actor: Actor) -> Form:
        """Who asked for it, or for a workflow's call an administrator."""
        if person.id != self.services.directory.principal(row.requester) and not (
            press.verb == "withdraw" and await is_admin(self.services, person, actor)
        ):
            raise NotAllowed(f"Only {preview_of(row).requester}, who asked for it, can {press.verb} {row.ref}.")
        if row.state != rows.PENDING:
            raise OutOfDate(wording.closed(row))
        if press.verb == "answer" and all(each.answered_by for each in outcome_of(row).questions):
            raise OutOfDate(f"No question about {row.ref} is open.")
        return forms.answer_form(row) if press.verb == "answer" else forms.withdraw_form(row)

    async def _glass(self, row: ApprovalState, press: Press, person: Person, actor: Actor) -> Form:
        try:
            role = await self.standings.by_emergency(row, person, actor)
        except RoleUnknownError as error:
            raise NotAllowed(wording.cannot_verify()) from error
        if not role:
            ballot = Ballot(ref=row.ref, revision=press.revision, verb=press.verb, actor=actor)
            raise NotAllowed((await self._votes.turn_away(row, person, NONE, ballot)).text)
        _is_current(row, press)
        return forms.glass_form(row)

    async def _edit(self, row: ApprovalState, press: Press, person: Person, actor: Actor) -> Form:
        complaint = await self._edits.complaint(row, press.revision, person, actor)
        tool = self.services.tools.get(row.tool)
        form = forms.edit_form(row, tool) if tool is not None and not complaint else None
        if form is None:
            raise NotAllowed(complaint or f"{row.ref} is too long for a dialog. Reject it and say what should change.")
        return form

    def _grant(self, row: ApprovalState) -> Form:
        terms, tool = giving.terms_of(row), self.services.tools.get(row.tool)
        if terms is None or tool is None:
            raise NotAllowed(giving.NOT_PERMITTED)
        return forms.grant_form(row, terms, wording.scope_in_words(giving.scope_of(tool, terms, row.arguments)))


def _is_current(row: ApprovalState, press: Press) -> None:
    """OutOfDate unless this is what the person saw, and it can still be decided."""
    if row.state != rows.PENDING:
        raise OutOfDate(wording.closed(row))
    if press.revision != row.revision:
        raise OutOfDate(wording.old_revision(row, press.revision))
