"""Texts that tell globs apart: for each pattern those that its wildcards can stand for, down to what is special."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

FRESH = "¤"  # stands for all characters that no pattern names
MOST_WILDCARDS = 3  # in one pattern; the texts are multiplied by each
MOST_WORK = 40_000  # comparisons of a text with a pattern, for one argument


def texts_of(patterns: Iterable[str]) -> list[str] | None:
    """Texts that match the patterns in every way that another pattern can tell; None where there are too many.

    A wildcard stands for nothing, one fresh character, more of them than any pattern is long, a text with a slash, and
    one with `..`, which only globs of rules that do not allow match.
    """
    known = sorted(set(patterns))
    long = FRESH * (max(map(len, known), default=0) + 1)
    fillings = {"?": (FRESH, "/"), "*": ("", FRESH, long, f"{FRESH}/{FRESH}", f"../{FRESH}")}
    fillings["**"] = fillings["*"]
    found: dict[str, None] = {}
    for pattern in known:
        parts = re.split(r"(\*\*|\*|\?)", pattern)
        if sum(part in fillings for part in parts) > MOST_WILDCARDS:
            return None
        for chosen in product(*(fillings.get(part, (part,)) for part in parts)):
            text = "".join(chosen)
            found.update(dict.fromkeys((text, text.swapcase())))
        if len(found) * len(known) > MOST_WORK:
            return None
    return list(found)
