"""Comparing the value of an argument with what a rule says of it.

Every comparison knows on which side an error is safe. For a rule that allows, doubt means that it does not fit; for
one that asks or denies, that it does: upper and lower case, look-alike forms and missing numbers never open anything.
"""

from __future__ import annotations

import contextlib
import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.types import Json


def entries(value: Json) -> list[Json]:
    """The entries of a list; anything else is its own only entry."""
    return value if isinstance(value, list) else [value]


def leaves(value: Json) -> list[Json]:
    """All scalars in a value, in order: what origins are kept for."""
    if isinstance(value, list):
        return [leaf for entry in value for leaf in leaves(entry)]
    if isinstance(value, dict):
        return [leaf for key in sorted(value) for leaf in leaves(value[key])]
    return [] if value is None else [value]


def at_path(arguments: Mapping[str, Json], path: str) -> tuple[bool, Json]:
    """Whether there is an argument, or a field of one ("event.customer"), and its value."""
    here: Json = arguments
    for part in path.split("."):
        if not isinstance(here, Mapping) or part not in here:
            return False, None
        here = here[part]
    return True, here


def same(value: Json, wanted: Json, *, exactly: bool) -> bool:
    """Whether two scalars are equal. Loosely: whatever case, spelling of Unicode, and number or text of it."""
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted if exactly else _text(value) == _text(wanted)
    if isinstance(value, int | float) and isinstance(wanted, int | float):
        return value == wanted
    if exactly:
        return type(value) is type(wanted) and bool(value == wanted)
    return _text(value) == _text(wanted)


def same_texts(wanted: Iterable[Json], *, exactly: bool) -> frozenset[str]:
    """The texts that are the same as one of these: as they are, or loosely in the form that `folded` gives them."""
    if exactly:
        return frozenset(one for one in wanted if isinstance(one, str))
    return frozenset(map(_text, wanted))


def key(value: Json) -> str:
    """A text under which everything is found that is the same as the value, exactly or loosely (see `keys`)."""
    return _text(value)


def spelled(word: Json) -> tuple[str, ...]:
    """The texts that are loosely the same as the word: itself, or a number and a boolean as it is written."""
    return (word,) if isinstance(word, str) else (_text(word),)


def keys(wanted: Json) -> tuple[str, ...]:
    """All texts that `key` can give for a value that is the same as this one."""
    found = {_text(wanted)}
    if isinstance(wanted, int | float) and not isinstance(wanted, bool):
        with contextlib.suppress(OverflowError, ValueError):  # no finite number, or one beyond what a float holds
            found |= {str(float(wanted)), str(int(wanted))} if wanted == int(wanted) else set()
    return tuple(found)


@lru_cache(maxsize=4096)
def folded(text: str) -> str:
    """The text without differences of case, Unicode form and surrounding space."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


def _text(value: Json) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).casefold()
    return folded(value) if isinstance(value, str) else str(value)


def number(value: Json) -> Decimal | None:
    """The value as a number; None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def size(value: Json) -> int | None:
    """Characters of a text or entries of a list; None for anything else."""
    return len(value) if isinstance(value, str | list) else None


def fits_glob(value: Json, patterns: Iterable[str], *, exactly: bool) -> bool | None:
    """Whether the text matches one of the globs; None if it is no text.

    Exactly: case counts, `*` stops at a slash, a path with `..` or a backslash matches nothing. Loosely: none of it.
    """
    if not isinstance(value, str):
        return None
    if exactly:
        if "\\" in value or ".." in value.split("/") or not value.isprintable():
            return False
        return any(_glob(pattern, exactly=True).fullmatch(value) for pattern in patterns)
    return any(_glob(folded(pattern), exactly=False).fullmatch(folded(value)) for pattern in patterns)


@lru_cache(maxsize=2048)
def _glob(pattern: str, *, exactly: bool) -> re.Pattern[str]:
    across = {"**": ".*", "*": "[^/]*" if exactly else ".*", "?": "[^/]" if exactly else "."}
    parts = re.split(r"(\*\*|\*|\?)", pattern)
    return re.compile("".join(across.get(part, re.escape(part)) for part in parts), re.DOTALL)
