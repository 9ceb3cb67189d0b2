"""Reading the workflows of a charter, and checking what they name: agents, channels, roles, tools, other workflows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errors import CharterError
from workflows.engine.reading import load

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from kernel.yaml_lines import Located
    from workflows.engine.definition import Loaded, Workflow
    from workflows.engine.steps import Kinds


def read_workflows(
    texts: Mapping[str, str],
    kinds: Kinds,
    zone: str,
    calendars: Mapping[str, tuple[str, ...]],
    names: Mapping[str, Collection[str]],
) -> tuple[dict[str, Workflow], list[str]]:
    """The workflows by name, and everything that is wrong with them.

    `names` says for each kind of thing what there is; a kind without anything is not checked.
    """
    read: list[tuple[Loaded, Located]] = []
    problems: list[str] = []
    for path, text in texts.items():
        try:
            read.append(load(path, text, kinds, zone, calendars))
        except CharterError as error:
            problems += error.problems
    known = {**names, "workflow": frozenset(loaded.workflow.name for loaded, _ in read)}
    found: dict[str, Workflow] = {}
    for loaded, located in read:
        problems += _unknown_names(loaded, located, known)
        name = loaded.workflow.name
        if name in found:
            problems.append(located.problem(("name",), f"there is a workflow '{name}' already"))
        found[name] = loaded.workflow
    return found, problems


def _unknown_names(loaded: Loaded, located: Located, known: Mapping[str, Collection[str]]) -> list[str]:
    named = [(("channel",), "channel", loaded.workflow.channel)]
    named += [(at, reference.kind, reference.name) for at, reference in loaded.names]  # type: ignore[misc]  # one shape
    return [
        located.problem(at, f"unknown {kind} '{name}'", name, known[kind])
        for at, kind, name in named
        if known.get(kind) and name not in known[kind]
    ]
