"""Who counts for what in an approval, at this moment. A role that cannot be looked up counts for nobody."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from kernel.types import Frozen
from rules.engine import stages
from rules.engine.policy import REQUESTER
from rules.engine.record import outcome_of, policy_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.store.approvals import ApprovalState
    from kernel.types import Actor, Person
    from rules.engine.policy import Group
    from rules.engine.record import Voter
    from rules.engine.services import Services


class Standing(Frozen):
    """What one person may do in one approval."""

    groups: frozenset[int] = frozenset()  # numbers of the policy's groups in which the person counts
    excluded: bool = False  # would count, had they not asked for it themselves
    seat: str = ""  # Person.id of who is away and for whom the person counts; empty: for themselves
    seat_name: str = ""

    @property
    def counts(self) -> bool:
        """The person may decide, now or in a later stage."""
        return bool(self.groups)


NONE = Standing()


class Standings:
    """Looks up where people count. RoleUnknownError if a lookup that matters fails."""

    def __init__(self, services: Services) -> None:
        self.services = services

    async def of(self, row: ApprovalState, person: Person, actor: Actor | None = None) -> Standing:
        """Where the person counts now, by a role of their own or for somebody who is away.

        `actor` is the account that was used, where one was.
        """
        if _barred(person, actor):
            return NONE
        own = await self._own(row, person, actor)
        if own.counts or own.excluded or self._asked(row, person) or not policy_of(row).delegate:
            return own
        return await self._for_somebody(row, person) or own

    async def still(self, row: ApprovalState, vote: Voter) -> frozenset[int]:
        """The groups in which whoever cast this vote counts now."""
        voter = self.services.directory.voter(vote.id)
        if voter is None:  # no longer of the team
            return frozenset()
        standing = await self.of(row, voter)
        return standing.groups if standing.seat == vote.seat else frozenset()

    async def by_emergency(self, row: ApprovalState, person: Person, actor: Actor | None = None) -> str:
        """The role by which the person may decide alone in an emergency; empty where there is none."""
        policy = policy_of(row)
        if policy.break_glass is None or _barred(person, actor):
            return ""
        if self._asked(row, person) and any(group.not_requester for group in policy.groups):
            return ""
        for role in policy.break_glass.who:
            if await self.services.directory.holds(person, role, actor):
                return role
        return ""

    def _asked(self, row: ApprovalState, person: Person) -> bool:
        """Whether the person is who asked for it, also by an account that was theirs not long ago."""
        return self.services.directory.one_human(person.id, row.requester)

    async def _own(self, row: ApprovalState, person: Person, actor: Actor | None) -> Standing:
        groups: set[int] = set()
        excluded = False
        for number, group in enumerate(policy_of(row).groups):
            if not await self._belongs(row, person, group, actor):
                continue
            if group.not_requester and self._asked(row, person):
                excluded = True
            else:
                groups.add(number)
        return Standing(groups=frozenset(groups), excluded=excluded and not groups)

    async def _belongs(self, row: ApprovalState, person: Person, group: Group, actor: Actor | None) -> bool:
        if REQUESTER in group.who and person.id == self.services.directory.principal(row.requester):
            return True
        for role in group.who_after(self._waited(row, group)):
            if role != REQUESTER and await self.services.directory.holds(person, role, actor):
                return True
        return False

    async def _for_somebody(self, row: ApprovalState, person: Person) -> Standing | None:
        """Where the person counts as the delegate of somebody else, who is not the one who asked."""
        for away in await self.services.absences.away_for(person):
            if self._asked(row, away) or _barred(away, None):
                continue
            theirs = await self._own(row, away, None)
            if theirs.counts:
                return Standing(groups=theirs.groups, seat=away.id, seat_name=away.name)
        return None

    def _waited(self, row: ApprovalState, group: Group) -> timedelta:
        """How long the group has been asked: escalations count from there."""
        now, outcome = self.services.clock.now(), outcome_of(row)
        asked = stages.current(policy_of(row), outcome.votes)
        if asked is not None and group.stage > asked:
            return timedelta()
        begun = outcome.stage_at if group.stage == asked else None
        return now - (begun or row.created_at)

    async def deciders(self, row: ApprovalState, numbers: Iterable[int]) -> tuple[Person, ...]:
        """Everybody who can decide now in these groups, delegates in the place of who is away; without who asked
        where they are excluded."""
        policy, directory = policy_of(row), self.services.directory
        found: dict[str, Person] = {}
        for number in numbers:
            group = policy.groups[number]
            members: dict[str, Person] = {}
            for role in group.who_after(self._waited(row, group)):
                if role == REQUESTER:
                    asker = directory.voter(row.requester)
                    members |= {asker.id: asker} if asker is not None else {}
                else:
                    members |= {person.id: person for person in await directory.holders(role)}
            found |= {
                key: person for key, person in members.items() if not (group.not_requester and self._asked(row, person))
            }
        return await self._with_delegates(row, found)

    async def _with_delegates(self, row: ApprovalState, found: dict[str, Person]) -> tuple[Person, ...]:
        away = await self.services.absences.by_person()
        people: dict[str, Person] = {}
        for person in found.values():
            if not person.can_decide:
                continue
            absent = away.get(person.id)
            stand_in = None if absent is None else absent.delegate
            if absent is None or person.id == row.requester:
                people.setdefault(person.id, person)
            elif stand_in and stand_in != row.requester and policy_of(row).delegate:
                delegate = self.services.directory.by_id(stand_in)
                if delegate is not None and delegate.can_decide:
                    people.setdefault(delegate.id, delegate)
        return tuple(people.values())


def _barred(person: Person, actor: Actor | None) -> bool:
    """A bot, a guest, somebody from outside or no longer here: never counts."""
    return not person.can_decide or (actor is not None and (actor.is_bot or actor.is_guest or actor.is_external))
