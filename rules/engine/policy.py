"""Who has to agree to a call: the policy of an approval, and how the policies of several rules become one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from kernel.types import Frozen
from rules.engine.words import in_time

if TYPE_CHECKING:
    from collections.abc import Iterable

REQUESTER = "requester"  # the word for the person who asked; every other word is a role
ADMIN = "admin"  # who decides where no rule says who
EXPIRES = 24 * 3600  # seconds, where no rule says when
REMIND_AT = (0.5, 0.9)  # of the time that people have, where no rule says when


class Escalation(Frozen):
    """Who counts as well once nobody has decided for a while."""

    after: int  # seconds from the request, or from the beginning of the group's stage
    to: tuple[str, ...]  # roles


class Group(Frozen):
    """People of whom `need` have to agree."""

    who: tuple[str, ...]  # roles, or "requester"; a person needs one of them
    need: int = 1
    not_requester: bool = True  # the person who asked does not count here
    stage: int = 0  # it is asked once every group of a lower stage has agreed
    escalate: tuple[Escalation, ...] = ()

    def who_after(self, waited: timedelta) -> tuple[str, ...]:
        """The roles that count when the group has been asked for so long."""
        late = [role for each in self.escalate if waited >= timedelta(seconds=each.after) for role in each.to]
        return tuple(dict.fromkeys((*self.who, *late)))

    @property
    def counts_after(self) -> dict[str, int]:
        """Every role that can come to count, and the seconds until it does."""
        found = dict.fromkeys(self.who, 0)
        for each in self.escalate:
            for role in each.to:
                found[role] = min(found.get(role, each.after), each.after)
        return found


class BreakGlass(Frozen):
    """Who may decide alone in an emergency, with a reason that everybody reads."""

    who: tuple[str, ...]  # roles
    where: tuple[str, ...] = ()  # channels that are told; none: the thread and the channel of the approvals


class GrantTerms(Frozen):
    """The widest standing permission that those who decide may give."""

    calls: int  # at most
    lasts: int  # seconds, at most
    same: tuple[str, ...] = ()  # arguments that have to be as in the call that it was given for


class Policy(Frozen):
    """What has to happen before a call may run. Every group has to agree."""

    groups: tuple[Group, ...]
    where: tuple[str, ...] = ()  # channels that get a card beside the thread
    expires: int = EXPIRES  # seconds from the request until nobody can decide any more
    edit: bool = False  # those who decide may change the arguments
    confirm: bool = False  # the approver types the target instead of pressing a button
    remind: tuple[int, ...] | None = None  # seconds from the request; None: at REMIND_AT
    delegate: bool = True  # the delegate of somebody who is away counts for them
    batchable: bool = False  # may be decided together with others, on one card
    reject: int = 1  # people who have to reject before it is rejected
    break_glass: BreakGlass | None = None
    grant: GrantTerms | None = None  # None: one call at a time

    @property
    def lifetime(self) -> timedelta:
        """How long people have to decide."""
        return timedelta(seconds=self.expires)

    @property
    def reminders(self) -> tuple[timedelta, ...]:
        """When those who have not voted are reminded, counted from the request, in order."""
        times = [self.expires * part for part in REMIND_AT] if self.remind is None else sorted(self.remind)
        return tuple(timedelta(seconds=each) for each in times if 0 < each < self.expires)

    @property
    def need(self) -> int:
        """How many people the largest group asks for."""
        return max(group.need for group in self.groups)

    @property
    def stages(self) -> tuple[int, ...]:
        """The numbers of the stages, in order."""
        return tuple(sorted({group.stage for group in self.groups}))

    @property
    def roles(self) -> frozenset[str]:
        """All roles that count in some group, now or after an escalation."""
        return frozenset(role for group in self.groups for role in group.counts_after) - {REQUESTER}

    def within(self, other: Policy) -> bool:
        """Whether whoever satisfied `other` has satisfied this one too: the test after rules have changed."""
        looser = (
            (self.confirm and not other.confirm)
            or (other.delegate and not self.delegate)
            or other.reject > self.reject
            or not _glass_within(self.break_glass, other.break_glass)
            or (len(self.stages) > 1 and len(self.stages) != len(other.stages))
        )
        return not looser and all(
            any(_covers(known, group, staged=len(self.stages) > 1) for known in other.groups) for group in self.groups
        )


FALLBACK = Policy(groups=(Group(who=(ADMIN,), not_requester=False),))


def strictest(policies: Iterable[Policy]) -> Policy:
    """One policy that satisfies all of them.

    Every group has to agree, each with its own need; of groups of the same roles the higher need holds, and only an
    escalation on which both agree; the earlier expiry; edits, delegates, batches, grants and emergencies only where all
    allow them; the fewest rejections.
    """
    known = list(policies)
    if len(known) == 1:
        return known[0]
    groups: dict[tuple[frozenset[str], int], Group] = {}
    for group in (group for policy in known for group in policy.groups):
        key = (frozenset(group.who), group.stage)
        groups[key] = _stricter(groups[key], group) if key in groups else group
    said = [policy for policy in known if policy.remind is not None]
    moments = {int(each.total_seconds()) for policy in known for each in policy.reminders}
    return Policy(
        groups=tuple(sorted(groups.values(), key=lambda group: group.stage)),
        where=tuple(dict.fromkeys(place for policy in known for place in policy.where)),
        expires=min(policy.expires for policy in known),
        edit=all(policy.edit for policy in known),
        confirm=any(policy.confirm for policy in known),
        remind=tuple(sorted(moments)) if said else None,
        delegate=all(policy.delegate for policy in known),
        batchable=all(policy.batchable for policy in known),
        reject=min(policy.reject for policy in known),
        break_glass=_glass_for_all([policy.break_glass for policy in known]),
        grant=_grant_for_all([policy.grant for policy in known]),
    )


def _stricter(one: Group, two: Group) -> Group:
    times, others = one.counts_after, two.counts_after
    late = {role: max(times[role], others[role]) for role in times if role in others and role not in one.who}
    return Group(
        who=one.who,
        need=max(one.need, two.need),
        not_requester=one.not_requester or two.not_requester,
        stage=one.stage,
        escalate=tuple(Escalation(after=after, to=(role,)) for role, after in late.items()),
    )


def _glass_for_all(known: list[BreakGlass | None]) -> BreakGlass | None:
    """Roles that may break the glass of every rule; None where one has none."""
    there = [glass for glass in known if glass is not None]
    who = [role for role in there[0].who if all(role in glass.who for glass in there)] if there else []
    if len(there) < len(known) or not who:
        return None
    return BreakGlass(who=tuple(who), where=tuple(dict.fromkeys(place for glass in there for place in glass.where)))


def _grant_for_all(known: list[GrantTerms | None]) -> GrantTerms | None:
    """The narrowest terms; None where a rule has none."""
    there = [terms for terms in known if terms is not None]
    if len(there) < len(known):
        return None
    return GrantTerms(
        calls=min(terms.calls for terms in there),
        lasts=min(terms.lasts for terms in there),
        same=tuple(dict.fromkeys(name for terms in there for name in terms.same)),
    )


def _glass_within(wanted: BreakGlass | None, known: BreakGlass | None) -> bool:
    return known is None or (wanted is not None and set(known.who) <= set(wanted.who))


def _covers(known: Group, wanted: Group, *, staged: bool) -> bool:
    times = wanted.counts_after
    return (
        all(role in times and times[role] <= after for role, after in known.counts_after.items())
        and known.need >= wanted.need
        and (known.not_requester or not wanted.not_requester)
        and (known.stage == wanted.stage or not staged)
    )


def in_words(policy: Policy) -> str:
    """ "2 of finance, not the requester; and the requester"; "1 of lead; then 2 of finance"."""
    parts = []
    for number, stage in enumerate(policy.stages):
        groups = [_group_in_words(group) for group in policy.groups if group.stage == stage]
        parts.append(("then " if number else "") + "; and ".join(groups))
    return "; ".join(parts)


def in_full(policy: Policy) -> str:
    """The same, with what happens when nobody answers."""
    late = [
        f"after {in_time(each.after)} also {listed(each.to)}"
        for group in policy.groups
        for each in sorted(group.escalate, key=lambda each: each.after)
    ]
    glass = [f"in an emergency {listed(policy.break_glass.who)} alone"] if policy.break_glass else []
    return "; ".join((in_words(policy), *late, *glass, f"within {in_time(policy.expires)}"))


def listed(names: Iterable[str]) -> str:
    """ "a, b or c"."""
    known = list(names)
    return known[0] if len(known) == 1 else f"{', '.join(known[:-1])} or {known[-1]}"


def _group_in_words(group: Group) -> str:
    names = listed("the requester" if who == REQUESTER else who for who in group.who)
    if group.who == (REQUESTER,):
        return names
    excluded = ", not the requester" if group.not_requester else ""
    return f"{group.need} of {names}{excluded}"
