"""What a look-up found by the requester's own words: the one record that was meant, and what names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rules.engine import values
from rules.engine.spelling import loose, typed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kernel.types import Json, RunFacts, ToolResult
    from rules.engine.tooling import GovernedTool

SHORTEST = 3  # letters or digits of search words that mean something
# Words that stand in any request and mean no record in particular.
COMMON = frozenset(
    """
    about account add all also and any are ask can channel check create date day delete description document email
    emails event events file files find for from get give have here how invite last list mail make meeting message
    new next not now page please post read reply send share show tell that the their them then there they this
    title today tomorrow update user users want was what when where which who will with you your
    """.split()  # noqa: SIM905  a list of a hundred quoted words reads badly
)


def by_words(tool: GovernedTool, arguments: Mapping[str, Json], run: RunFacts, result: ToolResult) -> ToolResult:
    """The result, with `found_by_your_words` on what names the record that was meant.

    The requester has to have typed every value that was looked for, one of which means something by itself. Meant is
    the only record that came back, or of several the only one whose title is what was typed. Where there may be more
    than what came back, none is. What a guest or somebody outside types finds nothing.
    """
    if not tool.look_up or result.error or run.asked_from_outside:
        return result
    given = [leaf for name in tool.look_up for leaf in values.leaves(arguments.get(name)) if leaf != ""]
    if not any(map(_means_something, given)) or not all(_typed(run, value) for value in given):
        return result
    meant = _meant(result, given)
    pieces = tuple(
        piece.model_copy(update={"origin": "found_by_your_words"})
        if piece.names and piece.record == meant and piece.origin in {"outside_text", "member_text"}
        else piece
        for piece in result.pieces
    )
    return result.model_copy(update={"pieces": pieces})


def _meant(result: ToolResult, given: Iterable[Json]) -> int | None:
    """The number of the one record that was meant. Records count that were cut off from what is shown."""
    if not isinstance(result.data, dict) or not isinstance(result.data.get("records"), list) or result.data.get("more"):
        return None
    found = result.data["records"]
    if len(found) == 1:
        return 1
    titles, wanted = {piece.field for piece in result.pieces if piece.title}, {loose(str(value)) for value in given}
    called = [
        number for number, record in enumerate(found, 1) if any(loose(str(record.get(one))) in wanted for one in titles)
    ]
    return called[0] if len(called) == 1 else None


def _typed(run: RunFacts, value: Json) -> bool:
    return any(typed(text, value, about=None) for text in run.typed)


def _means_something(value: Json) -> bool:
    words = "".join(c if c.isalnum() else " " for c in loose(str(value))).split()
    return sum(map(len, words)) >= SHORTEST and not all(word in COMMON for word in words)
