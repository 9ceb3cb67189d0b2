"""Whether a value stands in a text as a whole token, in one of the ways in which people write it.

"June 13" does not hold the file 13, "x-13" and "13.5" do not hold 13, "bob@acme.com.evil.io" does not hold
"bob@acme.com". A full stop at the end of a sentence, quotes and brackets are no part of a token.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from kernel.types import Json

JOINING = frozenset("-./:@+~=&?%\\#$€£°")  # between two characters of a word these belong to the token
MONEY = frozenset("$€£")
UNITS = frozenset("%€£$°")  # behind a number
NAMED = frozenset({"id", "no", "nr", "number", "nummer", "ref", "#"})  # "file no 13"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_GAP = re.compile(r"(?P<before>[^{}\"'“”‘’.:;!?]{0,80})\{[\w ]{1,40}\}(?P<after>[^{}\"'“”‘’.:;!?]{0,80})")
LONG = 5  # digits from which a number is an account or an id by itself


def spellings(value: Json) -> tuple[str, ...]:
    """How a value is written in text: a text as it is, a number with and without separators and cents."""
    if isinstance(value, bool) or value is None:
        return ()
    if isinstance(value, int | float):
        return _number_spellings(Decimal(str(value)))
    text = " ".join(unicodedata.normalize("NFC", value).split())
    return (text, *dates(text)) if text else ()


def dates(text: str) -> tuple[str, ...]:
    """How people write a day that is given as 2026-05-26, and with it a time of that day; empty for anything else."""
    match = _DAY.fullmatch(text)
    if match is None:
        return ()
    try:
        day = date.fromisoformat(match[0])
    except ValueError:
        return ()
    month, short, number = day.strftime("%B"), day.strftime("%b"), day.day
    ordinal = f"{number}{'th' if 10 < number < 14 else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"
    names = dict.fromkeys((month, short))
    days = [f"{name} {each}" for name in names for each in (number, ordinal)]
    days += [f"{each} {name}" for name in names for each in (number, ordinal)]
    days += [f"{ordinal} of {name}" for name in names]
    dotted = [f"{number}.{day.month}.{day.year}", f"{number:02}.{day.month:02}.{day.year}"]
    return (*days, *dotted)


def _number_spellings(number: Decimal) -> tuple[str, ...]:
    whole, _, part = f"{number:f}".partition(".")
    part = part.rstrip("0")
    grouped = f"{int(whole):,}"
    wholes = dict.fromkeys((whole, grouped, grouped.replace(",", "'"), grouped.replace(",", "’")))
    parts = dict.fromkeys((part, part.ljust(2, "0"))) if part else ("", "00")
    return tuple(f"{one}.{two}" if two else one for one in wholes for two in parts)


@lru_cache(maxsize=256)
def plain(text: str) -> str:
    """The text in one Unicode form, every run of white space one blank."""
    return " ".join(unicodedata.normalize("NFC", text).split())


@lru_cache(maxsize=256)
def loose(text: str) -> str:
    """The text as it is compared where a wrong match is the safe side: case and look-alike forms do not count."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def mentions(text: str, value: Json) -> bool:
    """Whether the value stands anywhere in the text, compared loosely. For labels that make a call less free."""
    haystack = loose(text)
    return any(occurs(haystack, loose(spelled)) for spelled in spellings(value))


def typed(text: str, value: Json, *, about: Collection[str] | None) -> bool:
    """Whether somebody who typed the text meant this value.

    `about` holds the words of the tool and the argument where the argument bears authority: a short number then counts
    only if it is named ("file 13", "#13", quoted), not as a day, an amount or a count. None: a plain argument.
    """
    haystack = plain(text)
    folds = isinstance(value, str) and ("@" in value or value.startswith("#") or _is_words(value))
    number = not isinstance(value, str) or value.isdigit()
    if folds:  # addresses, channels and ordinary words are the same in any case; ids and paths are not
        haystack = haystack.casefold()

    def counts(found: str, start: int, end: int) -> bool:
        if about is None or not number:
            return True
        if _before(found, start) in MONEY or _after(found, end) in UNITS:
            return False
        return end - start >= LONG or _is_named(found, start, end, about)

    return any(_occurs(haystack, one.casefold() if folds else one, counts) for one in spellings(value))


def filled(text: str, value: str) -> Iterator[str]:
    """What fills the gap, where the value is something that the text holds with one gap: "Dinner at {restaurant}"."""
    if "{" not in text:
        return
    wanted = plain(value)
    for match in _GAP.finditer(plain(text)):
        before, after = match["before"], match["after"]
        # The words around the gap may be shorter than what was typed around it, but there have to be some.
        for start in range(len(before)):
            head = before[start:]
            if (start and (before[start - 1].isalnum() or not head[0].isalnum())) or not wanted.startswith(head):
                continue
            for end in range(len(after), -1, -1):
                tail = after[:end]
                if wanted.endswith(tail) and len(wanted) > len(head) + len(tail):
                    yield wanted[len(head) : len(wanted) - len(tail)]


def _is_words(value: str) -> bool:
    """Nothing but words of a language, as a name or a title has them."""
    return all(part.isalpha() for part in re.split(r"[ '’-]", value.strip()) if part) and any(map(str.isalpha, value))


def _any_place(_text: str, _start: int, _end: int) -> bool:
    return True


def occurs(text: str, token: str) -> bool:
    """Whether the token stands anywhere in the text as a whole; both are in the form that `loose` or `plain` gives."""
    return _occurs(text, token, _any_place)


def _occurs(text: str, token: str, counts: Callable[[str, int, int], bool]) -> bool:
    return any(_is_whole(text, start, end) and counts(text, start, end) for start, end in _places(text, token))


def _places(text: str, token: str) -> Iterator[tuple[int, int]]:
    start = text.find(token) if token else -1
    while start != -1:
        yield start, start + len(token)
        start = text.find(token, start + 1)


def _is_whole(text: str, start: int, end: int) -> bool:
    left = _left_is_free(text, start, digit=text[start].isdigit())
    return left and _right_is_free(text, end, digit=text[end - 1].isdigit())


def _left_is_free(text: str, start: int, *, digit: bool) -> bool:
    before, further = _before(text, start), _before(text, start - 1)
    if _is_word(before):
        return False
    if digit and before in MONEY:
        return not _is_word(further)
    if digit and before in {",", "'", "’"}:
        return not further.isdigit()
    if before in {"#", "@"}:
        return not (_is_word(further) or further in JOINING)
    if before == "=" or (before == ":" and not digit):
        return further != "/"
    return before not in JOINING


def _right_is_free(text: str, end: int, *, digit: bool) -> bool:
    after, further = _after(text, end), _after(text, end + 1)
    if _is_word(after):
        return False
    if digit and after in UNITS:
        return True
    if digit and after in {",", "'", "’"}:
        return not further.isdigit()
    return after not in JOINING or not (_is_word(further) or further in JOINING)


def _is_named(text: str, start: int, end: int, about: Collection[str]) -> bool:
    if _before(text, start) in {"#", '"', "'", "`", "“", "‘", "="} and not _is_word(_after(text, end)):
        return True
    word = text[:start].rstrip(" :#").rpartition(" ")[2].strip(".,;()[]\"'`").casefold()
    return word in NAMED or word in about or (word.endswith("s") and word[:-1] in about)


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _before(text: str, start: int) -> str:
    return text[start - 1] if start > 0 else ""


def _after(text: str, end: int) -> str:
    return text[end] if end < len(text) else ""
