"""The words of `budget:` and `limit:`: how much, how often, in what time, for whom. No behaviour."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from kernel.types import Json
from rules.engine.words import DISTINCT, ONE_OR_MANY, Names, Word

Period = Literal["run", "hour", "day", "month"]
Scope = Literal["agent", "person", "channel", "workflow"]


class Counted(Word):
    """What is counted together."""

    per: Period  # a day and a month are those of UTC
    each: Annotated[tuple[Scope, ...], *ONE_OR_MANY, DISTINCT] | None = None  # not said: the whole team together
    same: Names | None = None  # arguments: what differs in one of them is counted apart, a currency for example


class Budget(Counted):
    """How much may be spent. A rule that allows holds up to it; a rule that asks denies what goes beyond it."""

    amount: float | None = Field(default=None, gt=0)  # in the unit of the argument
    of: str = "amount"  # the argument that is counted
    cost: float | None = Field(default=None, gt=0)  # of the model, in USD
    owner: Names | None = None  # roles that may raise it; none: those of the approvals that no rule names

    @model_validator(mode="after")
    def _counts_one_thing(self) -> Budget:
        if (self.amount is None) == (self.cost is None):
            raise ValueError("a budget has either 'amount' (of an argument) or 'cost' (of the model, in USD)")
        if self.cost is not None and "of" in self.model_fields_set:
            raise ValueError("'of' names the argument of an 'amount'; 'cost' is that of the model")
        if self.cost is not None and self.same:
            raise ValueError("'same' names arguments, and the cost of the model depends on none")
        return self


class ModelBudget(Word):
    """What models may cost, whatever they are asked: no turn begins that could go beyond it."""

    cost: float = Field(gt=0)  # in USD
    per: Period
    each: Annotated[tuple[Scope, ...], *ONE_OR_MANY, DISTINCT] | None = None  # not said: the whole team together
    owner: Names | None = None  # roles that may raise it; none: admin

    @property
    def key(self) -> str:
        """The same as long as it counts the same, whatever it allows."""
        return f"model:{self.per}:{'+'.join(sorted(self.each or ()))}"


class Limit(Counted):
    """How often. A rule that allows holds up to it; a rule that asks denies what goes beyond it."""

    calls: int = Field(ge=1, le=1_000_000)


def _one_or_several(value: Json) -> Json:
    """`budget: {...}` means `budget: [{...}]`."""
    return [value] if isinstance(value, dict) else value


Budgets = Annotated[tuple[Budget, ...], BeforeValidator(_one_or_several), Field(min_length=1, max_length=8)]
Limits = Annotated[tuple[Limit, ...], BeforeValidator(_one_or_several), Field(min_length=1, max_length=8)]
