"""Where the values of a call come from: typed, read in the run, a person or channel of the team, or made up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rules.engine import values
from rules.engine.spelling import mentions, typed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from kernel.people import Directory
    from kernel.types import Json, Labelled, Origin, RunFacts
    from rules.engine.facts import Origins
    from rules.engine.tooling import GovernedTool


def origins_of(
    tool: GovernedTool, arguments: Mapping[str, Json], run: RunFacts, directory: Directory
) -> dict[str, Origins]:
    """For every argument that is not free text, and every value in it, all origins that it was found in.

    A value that was found nowhere has the origin `nowhere`. What is not labelled counts as outside text.
    """
    sources = _Sources(run, directory)
    words = frozenset(_words(tool.name))
    found: dict[str, Origins] = {}
    for name, value in arguments.items():
        if name in tool.free_text:
            continue
        about = words.union(_words(name)) if name in tool.authority else None
        found[name] = tuple(sources.origins(leaf, about) for leaf in values.leaves(value))
    return found


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[^a-z0-9]+", name.casefold()) if word]


class _Sources:
    """What a run knows: the texts and records that values are looked for in."""

    def __init__(self, run: RunFacts, directory: Directory) -> None:
        self.run = run
        self.directory = directory
        # What a guest or somebody outside types gives no authority to anything.
        outsider = not run.requester.can_decide or (run.actor is not None and run.actor.is_external)
        self.typed = () if outsider else run.typed
        self.pieces: dict[Origin, list[str]] = {}
        for piece in run.seen:
            self.pieces.setdefault(_label(piece), []).append(piece.text)
        if outsider:
            self.pieces.setdefault("outside_text", []).extend(run.typed)

    def origins(self, value: Json, about: Collection[str] | None) -> frozenset[Origin]:
        found: set[Origin] = set()
        if any(typed(text, value, about=about) for text in self.typed):
            found.add("typed")
        for origin, texts in self.pieces.items():
            if origin != "nowhere" and any(mentions(text, value) for text in texts):
                found.add(origin)
        if isinstance(value, str):
            found |= self._records(value)
        return frozenset(found) if found else frozenset({"nowhere"})

    def _records(self, value: str) -> set[Origin]:
        """People and channels that the charter names."""
        found: set[Origin] = set()
        person = self.directory.by_id(value.removeprefix("@"))
        if person is not None and person.listed and person.can_decide:
            found.add("member")
        place = self.run.place
        if value.startswith("#") and self.directory.channel(value, place.platform, place.tenant) is not None:
            found.add("address_book")
        return found


def _label(piece: Labelled) -> Origin:
    """A tool cannot say that the requester typed something."""
    return "outside_text" if piece.origin == "typed" else piece.origin
