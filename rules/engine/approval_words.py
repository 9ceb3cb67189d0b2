"""The words of an `approval:` section: who decides about a call that is asked, and how. No behaviour."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from kernel.types import Json
from rules.engine.policy import REQUESTER
from rules.engine.words import Duration, Durations, Names, Word, seconds


class Escalate(Word):
    """Who counts as well once nobody has decided for a while."""

    after: Duration  # from the request, or from the beginning of the stage
    to: Names  # roles


class Deciders(Word):
    """People of whom some have to agree."""

    who: Names | None = None  # roles, or "requester"
    need: int = Field(default=1, ge=1, le=20)
    not_requester: bool | None = None  # not said: the requester is excluded unless named in `who`
    escalate: tuple[Escalate, ...] = ()

    @model_validator(mode="after")
    def _can_be_met(self) -> Deciders:
        if self.not_requester and REQUESTER in (self.who or ()):
            raise ValueError("'who' names the requester and 'not_requester' excludes them")
        if self.need > 1 and self.who == (REQUESTER,):
            raise ValueError(f"{self.need} people have to agree, and only the requester may")
        return self


class Stage(Deciders):
    """One of several steps; it begins when the one before it has agreed."""

    who: Names


class BreakGlass(Word):
    """Who may decide alone in an emergency. The reason is mandatory, and it is posted where everybody reads it."""

    who: Names  # roles
    where: Names | None = None  # channels; none: the thread and the channel of the approvals


class GrantTerms(Word):
    """How much those who decide may let through beforehand, instead of one call at a time."""

    calls: int = Field(ge=1, le=1000)  # at most
    within: Duration = Field(alias="for")  # from the grant on
    same: Names | None = None  # arguments that have to be as in the call that it was given for


def _bare_roles(value: Json) -> Json:
    """`break_glass: [incident-lead]` means `break_glass: {who: [incident-lead]}`."""
    return {"who": value} if isinstance(value, str | list) else value


class Approval(Deciders):
    """Who decides, and how: `who`, or several `stages` one after the other."""

    stages: tuple[Stage, ...] = Field(default=(), max_length=5)
    where: Names | None = None  # channels that get a card beside the thread
    expires: Duration = "24h"
    if_nobody_answers: Literal["deny"] = "deny"  # the only answer that nobody can give is no
    edit: bool = False  # those who decide may change the arguments
    confirm: Literal["type_target"] | None = None
    remind: Literal[False] | Durations | None = None  # after the request; not said: at half and nine tenths of the time
    delegate: bool = True  # the delegate of somebody who is away counts for them
    batchable: bool = False  # may be decided together with others of the same run, on one card
    reject: int = Field(default=1, ge=1, le=20)  # people who have to reject before it is rejected
    break_glass: Annotated[BreakGlass | None, BeforeValidator(_bare_roles)] = None
    grant: GrantTerms | None = None  # not said: one call at a time

    @model_validator(mode="after")
    def _fits_together(self) -> Approval:
        if (self.who is None) == (not self.stages):
            raise ValueError("an approval has either 'who' or 'stages'")
        if self.stages and (self.need > 1 or self.not_requester is not None or self.escalate):
            raise ValueError("'need', 'not_requester' and 'escalate' belong to each of the 'stages'")
        if self.batchable and self.confirm:
            raise ValueError("a call whose target is typed is decided alone: either 'batchable' or 'confirm'")
        lifetime = seconds(self.expires)
        escalations = [*self.escalate, *(each for stage in self.stages for each in stage.escalate)]
        times = [("escalate", each.after) for each in escalations]
        times += [("remind", each) for each in self.remind or ()]
        for word, after in times:
            if seconds(after) >= lifetime:
                raise ValueError(f"'{word}' after {after} is too late: it expires after {self.expires}")
        return self
