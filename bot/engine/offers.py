"""What may stand behind a command, as things are now: offered while somebody types it, and never a secret to them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.engine.sight import may_see
from kernel.store import approvals, freezes, grants, runs

if TYPE_CHECKING:
    from bot.engine.text_command import Office, Typing

MOST = 25  # offers at once
LOOKED_AT = 200  # rows that are looked at to find those


async def agents(_typing: Typing, office: Office) -> list[str]:
    """The agents."""
    return sorted(office.charter().roster.agents)


async def workflows(_typing: Typing, office: Office) -> list[str]:
    """The workflows."""
    return sorted(office.charter().workflows)


async def to_decide(typing: Typing, office: Office) -> list[str]:
    """Approvals that wait for this person."""
    return [one.ref for one in await office.decisions.waiting_for(typing.person, typing.actor, MOST)]


async def to_grant(typing: Typing, office: Office) -> list[str]:
    """The same, each with how often and how long."""
    return [f"{ref} 5 times for 7d" for ref in await to_decide(typing, office)]


async def requested(typing: Typing, office: Office) -> list[str]:
    """Approvals that wait for others because this person asked for something."""
    pending = await office.store.read(lambda session: approvals.pending(session, LOOKED_AT))
    return [row.ref for row in pending if row.requester == typing.person.id]


async def running(typing: Typing, office: Office) -> list[str]:
    """Runs that are not over."""
    return await _runs(typing, office, runs.QUEUED, runs.WAITING)


async def failed(typing: Typing, office: Office) -> list[str]:
    """Runs that failed."""
    return await _runs(typing, office, runs.FAILED)


async def of_workflows(typing: Typing, office: Office) -> list[str]:
    """Runs of workflows that are over."""
    return await _runs(typing, office, runs.DONE, workflow=True)


async def _runs(typing: Typing, office: Office, *states: str, workflow: bool = False) -> list[str]:
    listed = await office.store.read(lambda session: runs.listing(session, states, LOOKED_AT))
    return [
        run.ref
        for run in listed
        if may_see(office.directory, typing.person, run) and (run.workflow is not None or not workflow)
    ]


async def permissions(_typing: Typing, office: Office) -> list[str]:
    """Standing permissions."""
    now = office.clock.now()
    return [grant.ref for grant in await office.store.read(lambda session: grants.listing(session, now))]


async def memories(typing: Typing, office: Office) -> list[str]:
    """Facts that everybody here may read."""
    return await office.knowledge.refs(typing.person, typing.actor, typing.place)


async def freezable(_typing: Typing, office: Office) -> list[str]:
    """What can stand still."""
    charter = office.charter()
    agents_and_tools = [f"agent {name}" for name in charter.roster.agents]
    agents_and_tools += [f"tool {name}" for name in sorted(charter.known.tools)]
    return ["everything", "here", *sorted(charter.channels), *agents_and_tools]


async def frozen(_typing: Typing, office: Office) -> list[str]:
    """What stands still."""
    found = await office.store.read(freezes.in_force)
    return [one.scope.removeprefix("channel:").replace(":", " ") for one in found]


async def stand_ins(typing: Typing, office: Office) -> list[str]:
    """Colleagues, each for a week."""
    back = _in_a_week(typing, office)
    return [f"to {one.name} until {back}" for one in office.directory.everybody() if one.id != typing.person.id]


async def a_week_away(typing: Typing, office: Office) -> list[str]:
    """A week from now."""
    return [f"until {_in_a_week(typing, office)}"]


def _in_a_week(typing: Typing, office: Office) -> str:
    here = office.clock.now().astimezone(ZoneInfo(typing.person.time_zone or "UTC"))
    return f"{here + timedelta(days=7):%Y-%m-%d}"


async def platforms(_typing: Typing, office: Office) -> list[str]:
    """The platforms that are connected."""
    return sorted(office.directory.tenants)
