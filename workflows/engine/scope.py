"""Which places a template may name where it stands, checked when the file is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernel.types import Json

FIXED = ("workflow.name", "workflow.channel", "run.ref", "run.date")
FREE = ("trigger", "history")  # what is in them depends on how the run was begun
OF_A_STEP = ("text", "data", "note")


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The names that can be used at one point of a workflow."""

    inputs: frozenset[str] = frozenset()
    steps: Mapping[str, Json] = field(default_factory=lambda: MappingProxyType({}))  # id -> JSON schema of its data
    names: frozenset[str] = frozenset()  # of the for-each loops around: "item"

    def with_step(self, name: str, schema: Json = None) -> Scope:
        """The scope after a step."""
        return replace(self, steps=MappingProxyType({**self.steps, name: schema}))

    def inside(self, *names: str) -> Scope:
        """The scope inside a loop whose entries go by `names`."""
        return replace(self, names=self.names.union(names))

    def problem(self, place: str) -> str:
        """What is wrong with a place; empty where it may be used."""
        first, _, rest = place.partition(".")
        if place in FIXED or first in FREE or first in self.names:
            return ""
        if first == "inputs":
            return "" if rest.split(".")[0] in self.inputs else f"there is no input '{rest}'"
        if first == "steps":
            return self._step_problem(rest)
        return f"unknown place {{{place}}}"

    def known(self) -> tuple[str, ...]:
        """Places for a suggestion."""
        steps = tuple(f"steps.{name}.{part}" for name in self.steps for part in OF_A_STEP)
        inputs = tuple(f"inputs.{name}" for name in sorted(self.inputs))
        return (*FIXED, *inputs, *steps, *sorted(self.names), *FREE)

    def _step_problem(self, rest: str) -> str:
        name, _, part = rest.partition(".")
        if name not in self.steps:
            return f"unknown place {{steps.{rest}}}"
        words = part.split(".")
        if words[0] not in OF_A_STEP:
            return f"a step has {', '.join(OF_A_STEP)}, not '{words[0]}'"
        if words[0] != "data" and len(words) > 1:
            return f"{words[0]} is text and has no parts"
        return _in_schema(self.steps[name], words[1:]) if words[0] == "data" else ""


def _in_schema(schema: Json, words: list[str]) -> str:
    """What a JSON schema says against a path; empty where it allows it or does not know."""
    for word in words:
        if not isinstance(schema, dict):
            return ""
        properties = schema.get("properties")
        if isinstance(properties, dict):
            if word not in properties:
                return f"the result has no '{word}', only {', '.join(properties) or 'nothing'}"
            schema = properties[word]
        else:
            schema = schema.get("items")
    return ""
