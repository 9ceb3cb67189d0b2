"""What is stored with an approval as JSON, as typed values: the preview, what was decided, who edited."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, TypeVar, cast

from kernel.types import Fact, Frozen, Json, Payload, Place
from rules.engine.policy import Policy

if TYPE_CHECKING:
    from kernel.store.approvals import ApprovalState

T = TypeVar("T", bound=Frozen)


class Preview(Frozen):
    """What people see of the call."""

    headline: str  # verb, object, target: at most 120 characters
    facts: tuple[Fact, ...] = ()
    payloads: tuple[Payload, ...] = ()
    warning: str = ""
    effect: str = ""  # of the tool
    claim: str = ""  # what the agent said as it proposed the call; its words, not ours
    requester: str = ""  # name
    run: str = ""  # "R-7F3K"
    place: Place
    channel: str = ""  # "#finance"
    target: str = ""  # what has to be typed where the policy says so
    nearest: str = ""  # why it was not done without asking
    values: str = ""  # where the values come from
    private: bool = False  # asked where fewer people read than in some channel that shows a card


class Voter(Frozen):
    """A vote that was counted."""

    id: str  # Person.id
    name: str
    verb: str
    groups: tuple[int, ...] = ()  # groups of the policy in which it counts, as of the last vote
    cast: tuple[int, ...] = ()  # groups in which it counted when it was cast
    seat: str = ""  # Person.id of who is away and for whom it was cast; empty: their own vote
    seat_name: str = ""
    event: str = ""  # key of the event that brought it

    @property
    def shown(self) -> str:
        """ "Cy", or "Cy for Bo"."""
        return f"{self.name} for {self.seat_name}" if self.seat else self.name


class Edit(Frozen):
    """A change of the arguments by somebody who may decide."""

    by: str  # name
    revision: int  # that it made
    changed: tuple[str, ...]  # names of arguments
    at: datetime
    event: str = ""  # key of the event that brought it


class Inquiry(Frozen):
    """What somebody who decides wanted to know first."""

    by: str  # name
    text: str
    at: datetime
    answer: str = ""
    answered_by: str = ""  # name; empty: not answered yet


class Offer(Frozen):
    """A standing permission that is given together with this decision."""

    by: str  # name of who proposed it
    calls: int  # at most
    lasts: int  # seconds from the decision on
    scope: dict[str, Json]  # as in `kernel.store.grants.Grant`
    ref: str = ""  # "G-7F3K", once it is given


class Outcome(Frozen):
    """What has become of an approval so far."""

    votes: tuple[Voter, ...] = ()  # on the current revision
    edits: tuple[Edit, ...] = ()
    questions: tuple[Inquiry, ...] = ()
    offer: Offer | None = None
    escalated: tuple[str, ...] = ()  # roles that count as well because nobody decided in time
    stage_at: datetime | None = None  # when the current stage began; None: with the request
    by: str = ""  # names of those who decided
    reason: str = ""
    broke_glass: str = ""  # role by which one person decided alone in an emergency
    answer: str = ""  # of an unknown outcome: "done", "repeat", "give_up"
    result: str = ""  # of an unknown outcome: what came of it, by who has looked
    again: str = ""  # reference of the run in which it was requested again
    done_at: datetime | None = None  # when the call had its result
    failed: bool = False  # the call had an error as its result

    @property
    def allowed_by(self) -> list[str]:
        """Ids of the people whose votes let it through."""
        if self.broke_glass:
            return [vote.id for vote in self.votes if vote.verb == "break_glass"]
        return [vote.id for vote in self.votes if vote.verb != "reject" and vote.groups]


def preview_of(row: ApprovalState) -> Preview:
    """The stored preview."""
    return _parsed(row, "preview", Preview)


def policy_of(row: ApprovalState) -> Policy:
    """The stored policy."""
    return _parsed(row, "policy", Policy)


def outcome_of(row: ApprovalState) -> Outcome:
    """What was stored of the outcome so far."""
    return _parsed(row, "outcome", Outcome)


def _parsed(row: ApprovalState, column: str, kind: type[T]) -> T:
    """The column as a typed value. It is made once: every vote asks for it again and again."""
    stored = getattr(row, column)
    known, value = row.parsed.get(column, (None, None))
    if value is None or known is not stored:
        value = kind.model_validate(stored or {})
        row.parsed[column] = (stored, value)
    return cast("T", value)
