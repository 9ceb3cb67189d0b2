"""Who has to agree to a call: the policy of an approval, and how the policies of several rules become one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from kernel.types import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterable

REQUESTER = "requester"  # the word for the person who asked; every other word is a role
ADMIN = "admin"  # who decides where no rule says who
EXPIRES = 24 * 3600  # seconds, where no rule says when


class Group(Frozen):
    """People of whom `need` have to agree."""

    who: tuple[str, ...]  # roles, or "requester"; a person needs one of them
    need: int = 1
    not_requester: bool = True  # the person who asked does not count here


class Policy(Frozen):
    """What has to happen before a call may run. Every group has to agree."""

    groups: tuple[Group, ...]
    where: tuple[str, ...] = ()  # channels that get a card beside the thread
    expires: int = EXPIRES  # seconds from the request until nobody can decide any more
    edit: bool = False  # those who decide may change the arguments
    confirm: bool = False  # the approver types the target instead of pressing a button

    @property
    def lifetime(self) -> timedelta:
        """How long people have to decide."""
        return timedelta(seconds=self.expires)

    @property
    def need(self) -> int:
        """How many people the largest group asks for."""
        return max(group.need for group in self.groups)

    @property
    def roles(self) -> frozenset[str]:
        """All roles that count in some group."""
        return frozenset(role for group in self.groups for role in group.who) - {REQUESTER}

    def within(self, other: Policy) -> bool:
        """Whether whoever satisfied `other` has satisfied this one too: the test after rules have changed."""
        return not (self.confirm and not other.confirm) and all(
            any(_covers(known, group) for known in other.groups) for group in self.groups
        )


FALLBACK = Policy(groups=(Group(who=(ADMIN,), not_requester=False),))


def strictest(policies: Iterable[Policy]) -> Policy:
    """One policy that satisfies all of them.

    Every group has to agree, each with its own need; of groups of the same roles the higher need holds; the earlier
    expiry; edits only where all allow them.
    """
    known = list(policies)
    if len(known) == 1:
        return known[0]
    groups: dict[frozenset[str], Group] = {}
    for group in (group for policy in known for group in policy.groups):
        same = groups.get(frozenset(group.who))
        groups[frozenset(group.who)] = group if same is None else _stricter(same, group)
    return Policy(
        groups=tuple(groups.values()),
        where=tuple(dict.fromkeys(place for policy in known for place in policy.where)),
        expires=min(policy.expires for policy in known),
        edit=all(policy.edit for policy in known),
        confirm=any(policy.confirm for policy in known),
    )


def _stricter(one: Group, two: Group) -> Group:
    return Group(who=one.who, need=max(one.need, two.need), not_requester=one.not_requester or two.not_requester)


def _covers(known: Group, wanted: Group) -> bool:
    return (
        set(known.who) <= set(wanted.who)
        and known.need >= wanted.need
        and (known.not_requester or not wanted.not_requester)
    )


def in_words(policy: Policy) -> str:
    """ "2 of finance, not the requester; and the requester"."""
    return "; and ".join(_group_in_words(group) for group in policy.groups)


def _group_in_words(group: Group) -> str:
    names = ["the requester" if who == REQUESTER else who for who in group.who]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
    if group.who == (REQUESTER,):
        return listed
    excluded = ", not the requester" if group.not_requester else ""
    return f"{group.need} of {listed}{excluded}"
