"""The step `each`: the same steps for every entry of a list, several at once where the file says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kernel.errors import BosunError
from kernel.types import Json
from workflows.engine import template
from workflows.engine.steps import Options, Output, Part, Plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAME = r"^[a-z][a-z0-9_]*$"


class NoListError(BosunError):
    """What `each` is to go through is no list."""

    code = "no-list"


class EachOptions(Options):
    """The list, what an entry is called, and the steps."""

    in_: Json = Field(alias="in")  # a place that holds a list, or a list
    as_: str = Field(default="item", alias="as", pattern=NAME)
    at_most: int = Field(default=50, ge=1, le=500)  # longer lists fail: what is left out silently is missed later
    parallel: int = Field(default=1, ge=1, le=20)  # entries that are worked on at once
    do: list[dict[str, Json]] = Field(default=[])

    def templates(self) -> Mapping[str, Json]:
        return {"in": self.in_}

    def blocks(self) -> Mapping[str, Sequence[Mapping[str, Json]]]:
        return {"do": self.do}

    def names(self) -> tuple[str, ...]:
        return (self.as_, "number")

    def in_words(self) -> str:
        at_once = f", {self.parallel} at once" if self.parallel > 1 else ""
        return f"for every {self.as_} of {template.shown(self.in_)}{at_once}"


class Each:
    """Goes through a list."""

    name = "each"
    options = EachOptions

    def plan(self, options: EachOptions, values: Mapping[str, Json]) -> Plan:
        found = template.resolve(options.in_, values)
        if not isinstance(found, list):
            raise NoListError(f"'in' is no list, but {template.shown(found)[:80] or 'nothing'}.")
        if len(found) > options.at_most:
            raise NoListError(f"The list has {len(found)} entries, more than 'at_most: {options.at_most}'.")
        parts = tuple(
            Part(key=str(number), block="do", values={options.as_: entry, "number": number + 1})
            for number, entry in enumerate(found)
        )
        return Plan(parts=parts, parallel=options.parallel)

    def gather(self, options: EachOptions, results: Sequence[Output]) -> Output:
        pieces = tuple(piece for one in results for piece in one.pieces) if all(one.pieces for one in results) else ()
        return Output(
            text="\n".join(one.text for one in results if one.text),
            data=[one.data if one.data is not None else one.text for one in results],
            pieces=pieces,
            note=f"{len(results)} entries",
        )


KIND = Each()
