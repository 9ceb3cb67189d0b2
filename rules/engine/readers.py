"""Whether a post reaches somebody who may not read what its run has read. Pure, but for the directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.types import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.people import DecisionDirectory
    from kernel.types import Json, RunFacts
    from rules.engine.tooling import GovernedTool

TEAM, CHANNEL = "team", "channel:"


def wider(
    tool: GovernedTool | None, arguments: Mapping[str, Json], run: RunFacts, directory: DecisionDirectory
) -> bool:
    """Whether the call posts to a channel of which somebody may not read all that the run has read.

    What the requester typed is theirs to share and counts for nothing. Where it cannot be told it is so: a piece for
    one person, or for a role, is read by nobody else.
    """
    if tool is None or not tool.posts_to:
        return False
    name = arguments.get(tool.posts_to)
    target = directory.channel(str(name), run.place.platform, run.place.tenant)
    if target is None:  # nothing can be posted there
        return False
    known = {piece.readers for piece in run.seen}
    return any(not any(_covers(reader, target, directory) for reader in readers or (TEAM,)) for readers in known)


def _covers(reader: str, target: Place, directory: DecisionDirectory) -> bool:
    """Whether everybody who reads the target is such a reader."""
    if reader == TEAM:
        return not target.external
    if not reader.startswith(CHANNEL):
        return False
    lane = reader.removeprefix(CHANNEL)
    if lane == target.lane:
        return True
    platform, _, rest = lane.partition(":")
    tenant, _, channel = rest.partition(":")
    return not directory.wider(Place(platform=platform, tenant=tenant, channel=channel), target)
