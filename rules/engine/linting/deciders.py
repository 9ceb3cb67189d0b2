"""Who decides, looked at before anybody is asked: roles that nobody holds, and more than one that decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rules.engine.linting.findings import Finding
from rules.engine.policy import REQUESTER, listed
from rules.engine.policy_of_words import policy_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kernel.people import Role
    from rules.engine.language import Rule
    from rules.engine.policy import Group


def findings_of(rule: Rule, roles: Mapping[str, Role]) -> list[Finding]:
    """What is wrong with those who decide. Of a role that a platform's group can hold, nothing is claimed."""
    found = [
        _finding(rule, "nobody", f"nobody holds {role}, {why}", serious=True)
        for role, why in _named(rule)
        if _members(roles, [role]) == frozenset()
    ]
    if rule.approval is None:
        return found
    for group in policy_of(rule.approval).groups:
        members = _members(roles, [role for role in group.who if role != REQUESTER])
        if members is not None:
            found += _too_few(rule, group, members, roles)
        several = [role for role in group.who if role != REQUESTER]
        if len(several) > 1:
            text = f"{listed(several)} may decide: name the one role that answers for it"
            found.append(_finding(rule, "several_roles", text, serious=False))
    return found


def _too_few(rule: Rule, group: Group, members: frozenset[str], roles: Mapping[str, Role]) -> list[Finding]:
    there = len(members) + (REQUESTER in group.who)
    names = listed([role for role in group.who if role != REQUESTER] or ["the requester"])
    if there < group.need:
        text = f"{group.need} of {names} have to agree, and {_count(there)}: it can never be approved"
        return [_finding(rule, "nobody", text, serious=True)]
    if not group.not_requester or there - 1 >= group.need:
        return []
    askers = _members(roles, rule.requester) if rule.requester else None
    if askers is not None and askers and askers <= members:
        text = f"whoever may ask is one of {names}, and of the others there are fewer than {group.need}"
        return [_finding(rule, "nobody", text, serious=True)]
    text = f"where one of {names} asks, fewer than {group.need} are left to decide"
    return [_finding(rule, "nobody", text, serious=False)]


def _named(rule: Rule) -> list[tuple[str, str]]:
    """Roles beside those of the approval, and what they are wanted for."""
    found = [(role, "who owns its budget") for budget in rule.budget or () for role in budget.owner or ()]
    if rule.promote is not None:
        found += [(role, "who decides about its promotion") for role in rule.promote.decided_by]
    if rule.approval is not None and rule.approval.break_glass is not None:
        found += [(role, "who may decide in an emergency") for role in rule.approval.break_glass.who]
    return found


def _members(roles: Mapping[str, Role], names: Iterable[str]) -> frozenset[str] | None:
    """Who holds one of the roles; None where a group of a platform holds one, whose members are not known here."""
    found: set[str] = set()
    for name in names:
        role = roles.get(name)
        if role is None or role.groups:
            return None
        found.update(role.members)
    return frozenset(found)


def _count(number: int) -> str:
    return "nobody holds the role" if not number else f"only {number} can"


def _finding(rule: Rule, kind: str, text: str, *, serious: bool) -> Finding:
    return Finding.model_validate({"kind": kind, "subject": rule.id, "text": f"{rule.id}: {text}", "serious": serious})
