"""Which workspace a path lies in: the team's, or the one of the channel where it is asked for.

A path that begins with `channel/` lies in a folder of the channel, or of the direct message, and is reached from
there alone: whoever reads the answer could have read the file. Where people from outside read along, nothing of the
team's workspace is shown.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernel.store import files, personal
from tools.engine.failure import CannotDo
from tools.engine.files.workspace import Quota, Workspace, bytes_digest

if TYPE_CHECKING:
    from kernel.types import Origin
    from tools.engine.context import ToolContext

CHANNEL = "channel"
CHANNELS = ".channels"  # no path can hold this name


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A path as it was written, and where that is."""

    shown: str  # as the model wrote it
    workspace: Workspace
    path: str  # in that workspace
    prefix: str = ""  # of the keys of this workspace's files
    readers: tuple[str, ...] = ()  # who may read what is in it; empty: the whole team

    @property
    def key(self) -> str:
        """Names the file in the whole installation: what its labels are kept under."""
        return self.prefix + self.path

    def named(self, path: str) -> str:
        """How another path of the same workspace is written."""
        return f"{CHANNEL}/{path}" if self.prefix else path


def spot_of(path: str, ctx: ToolContext, *, reads: bool = True) -> Spot:
    """Where the path is. CannotDo where what is read would be shown to people who may not see it."""
    first, slash, rest = path.partition("/")
    quota = Quota(size=ctx.setup.files.quota, files=ctx.setup.files.most)
    if first == CHANNEL and (slash or reads):
        folder = hashlib.sha256(ctx.facts.place.lane.encode()).hexdigest()[:32]
        workspace = Workspace(ctx.workspace / CHANNELS / folder, quota)
        place, who = ctx.facts.place, ctx.facts.requester
        readers = (f"person:{who.id}" if place.kind == "dm" else f"channel:{place.lane}",)
        return Spot(shown=path, workspace=workspace, path=rest or ".", prefix=f"{CHANNELS}/{folder}/", readers=readers)
    if reads and ctx.facts.place.external:
        raise CannotDo(
            f"People outside the team read this channel, so only its own folder is open here: paths under {CHANNEL}/."
        )
    return Spot(shown=path, workspace=Workspace(ctx.workspace, quota), path=path)


async def label_of(spot: Spot, content: bytes, ctx: ToolContext) -> tuple[Origin, bool]:
    """The label of a file as it is now (none: outside text), and whether there is personal data in it."""
    version = bytes_digest(content)
    subject = personal.of_file(spot.key, version)
    known, marked = await ctx.store.read(
        lambda session: (files.label(session, spot.key, version), personal.marked(session, (subject,)))
    )
    return ("member_text" if known is not None and known.origin == "member_text" else "outside_text"), bool(marked)
