"""Standing permissions that are given together with an approval: what they let through, and writing them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from kernel import ledger
from kernel.store import grants
from rules.engine.record import policy_of, preview_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from kernel.store import Session
    from kernel.store.approvals import ApprovalState
    from kernel.types import Json
    from rules.engine.policy import GrantTerms
    from rules.engine.record import Outcome
    from rules.engine.services import Services
    from rules.engine.tooling import GovernedTool

PREFIX = "G"  # of references
NOT_PERMITTED = "Its rule permits no standing permission, so nothing was changed."


def terms_of(row: ApprovalState) -> GrantTerms | None:
    """The widest permission that can be given together with this approval."""
    policy = policy_of(row)
    each_time = policy.confirm or preview_of(row).effect == "destroy"
    return None if each_time or row.kind != "call" else policy.grant


def scope_of(tool: GovernedTool, terms: GrantTerms, arguments: Mapping[str, Json]) -> dict[str, Json]:
    """What a further call must look like: numbers at most as high, and everything else but prose as in this one.

    Where the rule names the arguments that have to be the same, only those, and the numbers.
    """
    pinned = set(terms.same) or set(arguments) - set(tool.free_text)
    scope: dict[str, Json] = {}
    for name, value in arguments.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and name not in terms.same:
            scope[name] = {"at_most": value}
        elif name in pinned:
            scope[name] = {"is": value}
    return scope


def covers(scope: Mapping[str, Mapping[str, Json]], arguments: Mapping[str, Json]) -> bool:
    """Whether a call with these arguments is within the scope. A bound that is not understood covers nothing."""
    for name, bound in scope.items():
        value = arguments.get(name)
        if "at_most" in bound:
            if isinstance(value, bool) or not isinstance(value, int | float) or not value <= bound["at_most"]:
                return False
        elif "is" not in bound or type(value) is not type(bound["is"]) or value != bound["is"]:
            return False
    return True


def give(session: Session, services: Services, row: ApprovalState, outcome: Outcome, now: datetime) -> Outcome:
    """Write the permission that was proposed, in the transaction of the approval; the outcome names it."""
    offer = outcome.offer
    if offer is None:
        return outcome
    ref = f"{PREFIX}-{services.ids.short()}"
    while grants.by_ref(session, ref) is not None:
        ref = f"{PREFIX}-{services.ids.short(6)}"
    givers = [vote for vote in outcome.votes if vote.verb == "approve" and vote.groups]
    grant = grants.Grant(
        id=services.ids.new(),
        ref=ref,
        agent=row.agent,
        tool=row.tool,
        scope=offer.scope,
        policy=policy_of(row).model_dump(mode="json"),
        givers=[vote.model_dump(mode="json", exclude_defaults=True) for vote in givers],
        headline=preview_of(row).headline,
        approval=row.ref,
        calls=offer.calls,
        expires_at=now + timedelta(seconds=offer.lasts),
        created_at=now,
    )
    grants.add(session, grant)
    told = {
        "agent": row.agent,
        "tool": row.tool,
        "scope": offer.scope,
        "calls": offer.calls,
        "until": grant.expires_at.isoformat(),
        "approval": row.ref,
        "by": [vote.id for vote in givers],
    }
    ledger.append(session, now, "grant.given", ref, told)
    return outcome.model_copy(update={"offer": offer.model_copy(update={"ref": ref})})
