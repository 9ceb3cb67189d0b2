"""Where the values of a call come from: typed, read in the run, a person or channel of the team, or made up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rules.engine import values
from rules.engine.links import links
from rules.engine.seen import Seen
from rules.engine.spelling import filled, mentions, occurs, plain, typed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from kernel.people import DecisionDirectory
    from kernel.types import Json, Origin, Person, RunFacts
    from rules.engine.facts import Origins
    from rules.engine.tooling import GovernedTool


PATH = frozenset("/\\@#")  # what holds one of these leads somewhere: it is never put together from parts
# First names that are words as well: by themselves they name nobody.
WORDS = frozenset("April August Bill Chase Drew Grace Grant Hope Joy June Mark May Pat Rob Rose Sue Will".split())  # noqa: SIM905  as in a text


def origins_of(
    tool: GovernedTool,
    arguments: Mapping[str, Json],
    run: RunFacts,
    directory: DecisionDirectory,
    seen: Seen | None = None,
) -> dict[str, Origins]:
    """For every argument and every value in it, all origins that it was found in; for free text, of every link in it.

    A value that was found nowhere has the origin `nowhere`. What is not labelled counts as outside text. `seen` is the
    index of `run.seen`, where there is one.
    """
    sources = _Sources(run, directory, seen)
    words = frozenset(_words(tool.name))
    found: dict[str, Origins] = {}
    for name, value in arguments.items():
        if name in tool.free_text:
            found[name] = tuple(sources.of_link(link) for leaf in values.leaves(value) for link in links(str(leaf)))
            continue
        about = words.union(_words(name)) if name in tool.authority else None
        found[name] = tuple(sources.origins(leaf, about) for leaf in values.leaves(value))
    return found


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[^a-z0-9]+", name.casefold()) if word]


class _Sources:
    """What a run knows: the texts and records that values are looked for in."""

    def __init__(self, run: RunFacts, directory: DecisionDirectory, seen: Seen | None) -> None:
        self.run = run
        self.directory = directory
        self.seen = seen or Seen.of(run.seen)
        self.typed = () if run.asked_from_outside else run.typed
        self.outside = run.typed if run.asked_from_outside else ()

    def origins(self, value: Json, about: Collection[str] | None) -> frozenset[Origin]:
        found = self.seen.origins(value)
        prose = isinstance(value, str) and " " in value.strip() and not links(value) and not set(value) & PATH
        if any(typed(text, value, about=about) or (prose and self._fills(text, value)) for text in self.typed):
            found.add("typed")
        if any(mentions(text, value) for text in self.outside):
            found.add("outside_text")
        if isinstance(value, str):
            found |= self._records(value)
        return frozenset(found) if found else frozenset({"nowhere"})

    def of_link(self, link: str) -> frozenset[Origin]:
        """A link is found wherever it was mentioned: it need not be a value by itself."""
        found = set(self.origins(link, None))
        if any(mentions(text, link) for text in self.typed):
            found.add("typed")
        return frozenset(found - {"nowhere"}) if len(found) > 1 else frozenset(found)

    def _fills(self, text: str, value: str) -> bool:
        """The requester typed it with a gap, "Dinner at {restaurant}", and a whole value that was read fills that."""
        return any(self.seen.holds_value(gap) for gap in filled(text, value))

    def _records(self, value: str) -> set[Origin]:
        """People and channels that the charter names."""
        found: set[Origin] = set()
        person = self.directory.by_id(value.removeprefix("@"))
        if person is not None and person.listed and person.can_decide:
            found.add("member")
            if any(self._is_typed_name(name) for name in _names(person)):
                found.add("found_by_your_words")
        place = self.run.place
        if value.startswith("#") and self.directory.channel(value, place.platform, place.tenant) is not None:
            found.add("address_book")
        return found

    def _is_typed_name(self, name: str) -> bool:
        """The requester typed the name, and exactly one person of the team has it."""
        if not any(occurs(plain(text), name) for text in self.typed):
            return False
        return sum(name in _names(each) for each in self.directory.everybody() if each.can_decide) == 1


def _names(person: Person) -> set[str]:
    """What people call somebody: the whole name, and the first name unless it begins sentences as a word."""
    first = person.name.partition(" ")[0]
    return {person.name, first} - WORDS
