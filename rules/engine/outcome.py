"""What the door answers."""

from __future__ import annotations

from kernel.errors import BosunError
from kernel.types import Frozen, ToolResult


class Finished(Frozen):
    """The call has its result, be it an error or a refusal. The same call gives the same result again."""

    result: ToolResult


class Parked(Frozen):
    """The call waits for people."""

    refs: tuple[str, ...]  # of the approvals


class Freeze(Frozen):
    """A freeze that stands in the way of something."""

    scope: str  # "everything", "agent:ops", "tool:send_mail", "channel:#finance"
    by: str  # name
    reason: str = ""


class Held(Frozen):
    """The call begins once something is thawed. It was not judged yet, or is allowed and has not begun."""

    freeze: Freeze


Outcome = Finished | Parked | Held


class SegmentOvertaken(BosunError):
    """This run has moved on or has ended; whatever works on the older segment writes nothing."""

    code = "overtaken"
