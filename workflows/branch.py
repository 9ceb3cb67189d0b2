"""The step `branch`: one list of steps or the other, by a condition on what is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kernel.types import Json
from workflows.engine.condition import Condition
from workflows.engine.steps import Options, Output, Part, Plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class BranchOptions(Options):
    """Conditions, and what is done where they hold and where they do not."""

    if_: Condition | list[Condition] = Field(alias="if")  # all of them have to hold
    then: list[dict[str, Json]] = Field(default_factory=list)
    else_: list[dict[str, Json]] = Field(default_factory=list, alias="else")

    @property
    def conditions(self) -> list[Condition]:
        """The conditions."""
        return self.if_ if isinstance(self.if_, list) else [self.if_]

    def templates(self) -> Mapping[str, Json]:
        return {"if": [condition.value for condition in self.conditions]}

    def blocks(self) -> Mapping[str, Sequence[Mapping[str, Json]]]:
        return {"then": self.then, "else": self.else_}

    def in_words(self) -> str:
        return f"if {' and '.join(condition.in_words() for condition in self.conditions)}"


class Branch:
    """Chooses."""

    name = "branch"
    options = BranchOptions

    def plan(self, options: BranchOptions, values: Mapping[str, Json]) -> Plan:
        way = "then" if all(condition.holds(values) for condition in options.conditions) else "else"
        return Plan(parts=(Part(key=way, block=way),))

    def gather(self, options: BranchOptions, results: Sequence[Output]) -> Output:
        return results[-1] if results else Output()


KIND = Branch()
