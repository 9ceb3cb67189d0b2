"""Changing what is to be approved: a new revision with a new digest, judged again, on which nobody has voted yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernel.errors import BosunError
from kernel.people import RoleUnknownError
from kernel.store import approvals as rows
from kernel.store import calls
from kernel.types import Origin, Person, RunFacts
from rules.engine import facts as facts_of_calls
from rules.engine import planning, stages, values, wording, writing
from rules.engine.decide import decide
from rules.engine.explain import why_not_alone
from rules.engine.forms import typed_arguments
from rules.engine.links import links
from rules.engine.preview import HEADLINE, difference, in_full, outside_warning, plain, target_of, values_in_words
from rules.engine.record import Edit, outcome_of, policy_of, preview_of
from rules.engine.requests import reachable
from rules.engine.standing import Standings
from rules.engine.surroundings import asked
from rules.engine.tooling import call_digest, exact
from rules.engine.wording import Reply, refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from kernel.store import Session
    from kernel.store.approvals import ApprovalState
    from kernel.types import Actor, Json
    from rules.engine.facts import CallFacts, Origins
    from rules.engine.policy import Policy
    from rules.engine.preview import Shown
    from rules.engine.services import Services
    from rules.engine.tooling import GovernedTool

    Show = Callable[[str, Mapping[str, Json], str, RunFacts], Awaitable[Shown | None]]  # tool, arguments, call, run

TYPED = frozenset[Origin]({"typed"})
# The columns that differ from one revision to the next.
REVISED = (
    "revision", "arguments", "digest", "origins", "preview", "policy", "rules", "reason", "expires_at", "outcome",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Change:
    """An edit that fits the tool."""

    tool: GovernedTool
    arguments: dict[str, Json]
    digest: str
    person: Person
    shown: Shown | None  # by the tool; None: it cannot be asked
    event: str = ""  # key of the event that brought it


class Edits:
    """Makes new revisions."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.standings = Standings(services)
        self.show: Show | None = None

    async def edit(self, ref: str, revision: int, fields: Mapping[str, str], actor: Actor, event: str = "") -> Reply:
        """Replace arguments by what an approver typed. The tool stays; the rules judge the new call.

        The same `event`, dealt with again, is the same edit.
        """
        row = await self.services.store.read(lambda session: rows.by_ref(session, ref))
        if row is None:
            return refused(wording.unknown(ref))
        if any(event and edit.event == event for edit in outcome_of(row).edits):
            return Reply(text=_said(row), ok=True)
        person = self.services.directory.person(actor)
        complaint = await self.complaint(row, revision, person, actor)
        if complaint:
            return refused(complaint)
        tool = self.services.tools.get(row.tool)
        if tool is None:
            return refused(f"There is no tool {row.tool} any more, so {row.ref} cannot be edited.")
        try:
            arguments = exact(tool, typed_arguments(tool, row.arguments, fields))
            digest = call_digest(tool.name, arguments)
        except (BosunError, ValueError) as error:
            return refused(f"This does not fit, so nothing was changed. {error}")
        if digest == row.digest:
            return refused("Nothing was changed, so the revision stays as it is.")
        shown = await self.show(row.tool, arguments, row.call_id, self._run(row)) if self.show is not None else None
        change = Change(tool=tool, arguments=arguments, digest=digest, person=person, shown=shown, event=event)
        return await self.services.store.write(lambda session: self._revise(session, row, change))

    async def complaint(self, row: ApprovalState, revision: int, person: Person, actor: Actor) -> str:
        """Why this person cannot edit this revision now; empty where they can."""
        away = await self.turned_away(row, revision, person, actor)
        if away:
            return away
        if not policy_of(row).edit or row.kind != "call":
            return f"{row.ref} cannot be edited: the rule does not allow it. Reject it with a reason instead."
        return ""

    async def turned_away(self, row: ApprovalState, revision: int, person: Person, actor: Actor) -> str:
        """Why this person cannot change what is to be decided; empty where they can."""
        try:
            standing = await self.standings.of(row, person, actor)
        except RoleUnknownError:
            return wording.cannot_verify()
        if not standing.counts:
            return wording.not_yours(row, person, actor, excluded=standing.excluded)
        if row.state != rows.PENDING:
            return wording.closed(row)
        if revision != row.revision:
            return wording.old_revision(row, revision)
        asked = stages.current(policy_of(row), outcome_of(row).votes)
        if not standing.groups & stages.groups_of(policy_of(row), asked):
            return wording.not_yet(row)
        return ""

    def _revise(self, session: Session, seen: ApprovalState, change: Change) -> Reply:
        now = self.services.clock.now()
        row = rows.by_ref(session, seen.ref, lock=True)
        call = calls.by_id(session, seen.call_id)
        if row is None or call is None:
            return refused(wording.unknown(seen.ref))
        if row.state == rows.PENDING and row.expires_at is not None and row.expires_at <= now:
            writing.close(session, row, rows.EXPIRED, outcome_of(row), now)
        if row.state != rows.PENDING:
            return refused(wording.closed(row))
        if row.revision != seen.revision:
            return refused(wording.old_revision(row, seen.revision))
        rules = self.services.rules.current
        facts = asked(self.services, session, rules, self._facts(row, call.verdict["context"], change, now))
        verdict = decide(rules, facts)
        if verdict.decision == "deny":
            return refused(f"The rules do not allow that, so nothing was changed. {verdict.reason}")
        changed = tuple(name for name in change.arguments if row.arguments.get(name) != change.arguments[name])
        if verdict.policy is not None:  # what the rules would now allow alone still needs the people who were asked
            row.policy = self._reachable(row, verdict.policy, facts).model_dump(mode="json")
            row.rules = {"ids": list(verdict.rules), "version": verdict.version}
            row.reason = verdict.reason
        _rewrite(row, change, facts, why_not_alone(rules, facts))
        lifetime = policy_of(row).lifetime
        row.expires_at = min(row.expires_at or now + lifetime, now + lifetime)
        before = outcome_of(row)
        edit = Edit(by=change.person.name, revision=row.revision, changed=changed, at=now, event=change.event)
        fresh: dict[str, object] = {"votes": (), "edits": (*before.edits, edit), "stage_at": None, "offer": None}
        row.outcome = writing.stored(before.model_copy(update=fresh))
        rows.save(session, row, *REVISED)
        planning.again(session, row, now)
        writing.tell(session, now, "approval.edited", row, person=change.person.id, changed=list(changed))
        writing.redraw(session, row)
        return Reply(text=_said(row), ok=True)

    def _facts(self, row: ApprovalState, context: Json, change: Change, now: datetime) -> CallFacts:
        """The edited call as the rules see it: what an approver typed is typed, the rest keeps its origins."""
        before = facts_of_calls.origins_from_json(row.origins)
        origins: dict[str, Origins] = {}
        for name, value in change.arguments.items():
            if name in change.tool.free_text:
                known = dict(zip(links(str(row.arguments.get(name))), before.get(name, ()), strict=False))
                origins[name] = tuple(known.get(link, TYPED) for link in links(str(value)))
                continue
            kept = name in before and row.arguments.get(name) == value
            origins[name] = before[name] if kept else tuple(TYPED for _ in values.leaves(value))
        return facts_of_calls.restored(
            row.agent,
            row.tool,
            change.arguments,
            facts_of_calls.origins_to_json(origins),
            {**context, "effect": change.tool.effect, "now": now.isoformat()},
        )

    def _run(self, row: ApprovalState) -> RunFacts:
        """What a tool that shows a call has to know of its run."""
        before = preview_of(row)
        unknown = Person(id=row.requester, name=before.requester, listed=False, can_decide=False)
        return RunFacts(
            run_id=row.run_id,
            ref=before.run,
            segment=0,
            agent=row.agent,
            requester=self.services.directory.by_id(row.requester) or unknown,
            place=before.place,
            channel_name=before.channel,
        )

    def _reachable(self, row: ApprovalState, policy: Policy, facts: CallFacts) -> Policy:
        requester = self.services.directory.by_id(row.requester)
        attended = facts.workflow is None and (requester is None or requester.can_decide)
        return reachable(policy, attended=attended)


def _said(row: ApprovalState) -> str:
    """What whoever has edited is told of it."""
    return f"{row.ref} is now revision {row.revision}. Earlier votes do not count for it: {wording.tally(row)}."


def _rewrite(row: ApprovalState, change: Change, facts: CallFacts, nearest: str) -> None:
    """The row of the next revision."""
    shown, before = change.shown, preview_of(row)
    if shown is None:
        outside = outside_warning(change.tool, row.arguments, facts_of_calls.origins_from_json(row.origins))
        warning = before.warning.removeprefix(outside).strip()  # what the tool itself has warned of
        shown = plain(change.tool, change.arguments).model_copy(update={"warning": warning})
    now = outside_warning(change.tool, change.arguments, facts.origins)
    preview = before.model_copy(
        update={
            "headline": shown.headline[:HEADLINE],
            "facts": shown.facts,
            "payloads": (*in_full(change.arguments, shown), difference(row.arguments, change.arguments)),
            "warning": " ".join(filter(None, (now, shown.warning))),
            "target": target_of(change.tool, change.arguments),
            "values": values_in_words(change.tool, change.arguments, facts.origins),
            "nearest": nearest,
        }
    )
    row.preview = preview.model_dump(mode="json", exclude_defaults=True)
    row.arguments = change.arguments
    row.digest = change.digest
    row.origins = facts_of_calls.origins_to_json(facts.origins)
    row.revision += 1
