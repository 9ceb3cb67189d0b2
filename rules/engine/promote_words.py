"""The words of `promote:`: when a rule that asks may become one that allows, and when it falls back. No behaviour."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from rules.engine.words import DISTINCT, ONE_OR_MANY, Duration, Names, Percent, Word

Setback = Literal["rejected", "edited", "undone", "failed"]


class Evidence(Word):
    """What has to be seen before a promotion is proposed."""

    approvals_in_a_row: int = Field(ge=2, le=10_000)
    different_approvers: int = Field(default=2, ge=1, le=100)
    within: Duration = "60d"  # all of them not older than this
    edits: Literal[0] = 0  # an edited approval is a correction and begins the row anew
    seen_at_least: Duration = "3s"  # an approval that came sooner after its card was not looked at, and does not count


class Sameness(Word):
    """Evidence counts apart for each value of these arguments, and the promotion is for one value."""

    same: Names  # arguments, or fields of them: "event.customer"


class Promote(Word):
    """A rule that asks lets calls through by itself once the people it asks have agreed often enough."""

    to: Literal["allow"]
    after: Evidence
    per: Sameness | None = Field(default=None, alias="for")  # not said: for all calls of the agent and tool
    decided_by: Names  # roles
    back_to_ask_on: Annotated[tuple[Setback, ...], *ONE_OR_MANY, DISTINCT] = (
        "rejected",
        "edited",
        "undone",
        "failed",
    )
    expires: Duration = "90d"  # from the promotion; then it is asked again
    review: Percent = "10%"  # of the calls that went through are shown afterwards to those who decided
