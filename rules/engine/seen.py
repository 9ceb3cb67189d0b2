"""What a run has read, ready to be asked where a value stands in it, however much it has read."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import TYPE_CHECKING

from rules.engine.spelling import loose, occurs, plain, spellings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kernel.types import Json, Labelled, Origin

# Origins that give authority: the value has to be the whole value that is so labelled. Within a longer one it is text
# that anybody may have put there, like a link in the name of a channel.
EXACT: frozenset[Origin] = frozenset({"found_by_your_words", "address_book", "member", "paid_before", "made_here"})
WORD = re.compile(r"\w+")
KEPT = 64  # runs whose index is kept


class Seen:
    """An index of labelled texts. A value is looked up by its words, so the length of the texts hardly matters."""

    def __init__(self) -> None:
        self.pieces: list[Labelled] = []  # that are in it, in order
        self._texts: list[tuple[Origin, str, bool]] = []  # label, text as it is compared, whether it is a whole value
        self._words: dict[str, list[int]] = {}  # word -> numbers of the texts that hold it
        self._exact: dict[str, set[Origin]] = {}
        self._values: set[str] = set()  # every field of a record, whatever its label

    @classmethod
    def of(cls, pieces: Iterable[Labelled]) -> Seen:
        """The index of these pieces."""
        index = cls()
        for piece in pieces:
            index.add(piece)
        return index

    def add(self, piece: Labelled) -> None:
        """Take in one more piece."""
        self.pieces.append(piece)
        if piece.field:
            self._values.add(_key(piece.text))
        origin: Origin = "outside_text" if piece.origin == "typed" else piece.origin  # no tool knows what was typed
        if origin == "nowhere":
            return
        whole = origin in EXACT
        if whole:
            self._exact.setdefault(_key(piece.text), set()).add(origin)
            if origin == "made_here":
                return
            origin = "outside_text"
        text = loose(piece.text)
        for word in dict.fromkeys(WORD.findall(text)):
            self._words.setdefault(word, []).append(len(self._texts))
        self._texts.append((origin, text, whole))

    def origins(self, value: Json) -> set[Origin]:
        """All labels under which the value was read."""
        found = set(self._mentions(value))
        for spelled in spellings(value):
            found |= self._exact.get(_key(spelled), set())
        return found

    def holds_value(self, text: str) -> bool:
        """Whether a field of a record that was read is exactly this."""
        return _key(text) in self._values

    def _mentions(self, value: Json) -> Iterator[Origin]:
        found: set[Origin] = set()
        for spelled in map(loose, spellings(value)):
            for number in self._holding(WORD.findall(spelled)):
                origin, text, whole = self._texts[number]
                if origin not in found and not (whole and text == spelled) and occurs(text, spelled):
                    found.add(origin)
                    yield origin

    def _holding(self, words: Sequence[str]) -> Iterable[int]:
        """Numbers of the texts that hold all of these words."""
        lists = sorted((self._words.get(word, []) for word in words), key=len)
        if not lists:  # nothing but signs
            return range(len(self._texts))
        if len(lists) == 1 or not lists[0]:
            return lists[0]
        return sorted(set(lists[0]).intersection(*lists[1:]))


def _key(text: str) -> str:
    """What equal values have in common: addresses and channels are the same in any case."""
    known = plain(text)
    return known.casefold() if "@" in known or known.startswith("#") else known


class Indexes:
    """The indexes of the runs that are at work, each made longer as its run reads on."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Seen] = OrderedDict()

    def of(self, run_id: str, seen: Sequence[Labelled]) -> Seen:
        """The index of exactly these pieces."""
        index = self._kept.pop(run_id, None)
        if index is None or index.pieces != list(seen[: len(index.pieces)]):
            index = Seen()
        for piece in seen[len(index.pieces) :]:
            index.add(piece)
        self._kept[run_id] = index
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return index
