"""Words of the rule language that are decided by already and not acted on yet. A team's file that uses one is refused.

A rule must never do less than it says: an escalation that nobody carries out, or a budget that nobody counts, would.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kernel.yaml_lines import Loc
    from rules.engine.load import LoadedFile

IN_A_RULE: tuple[str, ...] = ()
IN_AN_APPROVAL = ("batchable",)


def problems_of(files: Iterable[LoadedFile]) -> list[str]:
    """One line for each use of such a word."""
    return [
        each.located.problem(
            at, f"'{at[-1]}' is not carried out by this version yet, so the rule would promise too much"
        )
        for each in files
        for at in _uses(each)
    ]


def _uses(file: LoadedFile) -> Iterator[Loc]:
    for number, rule in enumerate(file.content.rules):
        yield from (("rules", number, word) for word in IN_A_RULE if word in rule.model_fields_set)
        approval = rule.approval
        if approval is not None:
            for word in IN_AN_APPROVAL:
                if word in approval.model_fields_set:
                    yield ("rules", number, "approval", word)
