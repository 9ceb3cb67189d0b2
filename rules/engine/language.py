"""The words of a rule file, as data: what may stand in it and what each word means. No behaviour."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from kernel.types import Decision, Effect, Origin
from rules.engine.approval_words import Approval
from rules.engine.meter_words import Budgets, Limits
from rules.engine.promote_words import Promote
from rules.engine.words import ONE_OR_MANY, Name, Names, TimeOfDay, Values, Word, Zone

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Days = Annotated[tuple[Day, ...], *ONE_OR_MANY]
Effects = Annotated[tuple[Effect, ...], *ONE_OR_MANY]
Origins = Annotated[tuple[Origin, ...], *ONE_OR_MANY]


class Length(Word):
    """Characters of a text, or entries of a list."""

    at_most: int | None = Field(default=None, ge=0)
    at_least: int | None = Field(default=None, ge=0)


class Condition(Word):
    """What is asked of the value of one argument. All words have to hold.

    For a list, an `allow` rule holds if every entry fits, any other rule if some entry fits.
    """

    is_: Values | None = Field(default=None, alias="is")  # one of these
    not_: Values | None = Field(default=None, alias="not")  # none of these
    at_most: float | None = None
    at_least: float | None = None
    matches: Names | None = None  # a glob: * within a path segment, ** across, ? one character
    length: Length | None = None
    from_: Origins | None = Field(default=None, alias="from")  # found in one of these
    only_from: Origins | None = None  # found nowhere else
    links_from: Origins | None = None  # of the links, addresses and account numbers in a free text


class Targets(Word):
    """What is asked of everything that the call acts on: all arguments that the tool declares as bearing authority.

    An `allow` rule holds if there is such a value and every one fits, any other rule if some value fits.
    """

    from_: Origins | None = Field(default=None, alias="from")  # found in one of these
    only_from: Origins | None = None  # found nowhere else

    @model_validator(mode="after")
    def _asks_something(self) -> Targets:
        if self.from_ is None and self.only_from is None:
            raise ValueError("'targets' has 'from' or 'only_from'")
        return self


class Time(Word):
    """When the rule holds. `from` later than `until` spans midnight."""

    days: Days | None = None
    from_: TimeOfDay = Field(default="00:00", alias="from")
    until: TimeOfDay = "24:00"
    zone: Zone = "UTC"


class Context(Word):
    """What the run has done before this call."""

    outside_text_read: bool | None = None  # it has read text that somebody outside wrote
    personal_data_read: bool | None = None  # it has read personal or secret data
    wider_readers: bool | None = None  # the call posts where somebody may not read all that the run has read


class Rule(Word):
    """One rule. All selectors have to hold for it to decide."""

    id: Name
    why: str = Field(min_length=1, max_length=500)  # shown to people; a full sentence
    agent: Names | None = None
    tool: Names | None = None
    effect: Effects | None = None
    channel: Names | None = None  # "#finance"
    platform: Names | None = None
    requester: Names | None = None  # roles; one of them
    workflow: Names | None = None
    attended: bool | None = None  # true: a person asked; false: a workflow runs by itself
    args: dict[str, Condition] | None = Field(default=None, min_length=1)
    targets: Targets | None = None  # everything that it acts on, whatever the tool calls it
    links_from: Origins | None = None  # of the links, addresses and account numbers in all its free texts
    time: Time | None = None
    context: Context | None = None
    decision: Decision | None = None
    otherwise: Literal["ask", "deny"] | None = None  # decides only where no other rule does
    approval: Approval | None = None
    budget: Budgets | None = None
    limit: Limits | None = None
    promote: Promote | None = None
    log_only: bool = False  # it is recorded what the rule would have said, and it has no effect

    @model_validator(mode="after")
    def _decides_once(self) -> Rule:
        if (self.decision is None) == (self.otherwise is None):
            raise ValueError("a rule has either 'decision' or 'otherwise'")
        for word in ("approval", "promote"):
            if getattr(self, word) is not None and self.verdict != "ask":
                raise ValueError(f"'{word}' belongs to a rule that asks; this one decides {self.verdict}")
        for word in ("budget", "limit"):
            if getattr(self, word) is not None and self.verdict == "deny":
                raise ValueError(f"'{word}' belongs to a rule that allows or asks; this one denies everything")
        return self

    @property
    def verdict(self) -> Decision:
        """What it decides."""
        return self.decision or self.otherwise or "ask"


class Test(Word):
    """A call and what the rules have to say to it."""

    call: dict[str, object]
    expect: Decision
    by: str | None = None  # id of the deciding rule; "default" where no rule decides


class RuleFile(Word):
    """A file of decision rights."""

    version: Literal[1]
    rules: tuple[Rule, ...] = ()
    tests: tuple[Test, ...] = ()
