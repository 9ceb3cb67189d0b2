"""Who counts for what in an approval, at this moment. A role that cannot be looked up counts for nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.types import Frozen
from rules.engine.policy import REQUESTER

if TYPE_CHECKING:
    from kernel.people import Directory
    from kernel.types import Actor, Person
    from rules.engine.policy import Group, Policy


class Standing(Frozen):
    """What one person may do in one approval."""

    groups: frozenset[int] = frozenset()  # numbers of the policy's groups in which the person counts
    excluded: bool = False  # would count, had they not asked for it themselves

    @property
    def counts(self) -> bool:
        """The person may decide."""
        return bool(self.groups)


NONE = Standing()


async def standing_of(
    directory: Directory, person: Person, policy: Policy, requester: str, actor: Actor | None = None
) -> Standing:
    """Where the person counts now. RoleUnknownError if a lookup that matters fails.

    `actor` is the account that was used, where one was.
    """
    if not person.can_decide or (actor is not None and (actor.is_bot or actor.is_guest or actor.is_external)):
        return NONE
    groups: set[int] = set()
    excluded = False
    for number, group in enumerate(policy.groups):
        if not await _belongs(directory, person, group, requester, actor):
            continue
        if group.not_requester and directory.one_human(person.id, requester):
            excluded = True
        else:
            groups.add(number)
    return Standing(groups=frozenset(groups), excluded=excluded and not groups)


async def _belongs(directory: Directory, person: Person, group: Group, requester: str, actor: Actor | None) -> bool:
    if REQUESTER in group.who and person.id == directory.principal(requester):
        return True
    for role in group.who:
        if role != REQUESTER and await directory.holds(person, role, actor):
            return True
    return False
