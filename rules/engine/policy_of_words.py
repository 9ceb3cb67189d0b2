"""From the words of an `approval:` section to the policy that they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rules.engine.policy import REQUESTER, BreakGlass, Escalation, GrantTerms, Group, Policy
from rules.engine.words import seconds

if TYPE_CHECKING:
    from rules.engine.approval_words import Approval, Deciders


def policy_of(approval: Approval) -> Policy:
    """The policy that an `approval:` section describes."""
    glass, grant = approval.break_glass, approval.grant
    return Policy(
        groups=tuple(_group(deciders, number) for number, deciders in enumerate(approval.stages or (approval,))),
        where=approval.where or (),
        expires=seconds(approval.expires),
        edit=approval.edit,
        confirm=approval.confirm is not None,
        remind=None if approval.remind is None else tuple(seconds(each) for each in approval.remind or ()),
        delegate=approval.delegate,
        batchable=approval.batchable,
        reject=approval.reject,
        break_glass=BreakGlass(who=glass.who, where=glass.where or ()) if glass else None,
        grant=GrantTerms(calls=grant.calls, lasts=seconds(grant.within), same=grant.same or ()) if grant else None,
    )


def _group(deciders: Deciders, stage: int) -> Group:
    who, excluded = deciders.who or (), deciders.not_requester
    return Group(
        who=who,
        need=deciders.need,
        not_requester=REQUESTER not in who if excluded is None else excluded,
        stage=stage,
        escalate=tuple(Escalation(after=seconds(each.after), to=each.to) for each in deciders.escalate),
    )
