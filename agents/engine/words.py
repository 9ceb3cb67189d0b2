"""Words of a text for comparing it with another one, without a model: stems, and nothing that every sentence has."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_]{3,}", re.UNICODE)
_SAME = re.compile(r"\be-?mail", re.IGNORECASE)  # one word for one thing: mail
_ENDINGS = ("ments", "ment", "ing", "ies", "es", "ed", "s")
_COMMON = frozenset(
    _WORD.findall(
        "the and for are was were with that this from have has had you your our what which who how when where why can "
        "could would should will shall not but all any please about into them they their there here its also than then "
        "let get use want need"
    )
)


def words(text: str) -> set[str]:
    """The stems of the words that say something."""
    return {_stem(word) for word in _WORD.findall(_SAME.sub("mail", text).casefold())} - _COMMON


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return (word[: -len(ending)] + ("y" if ending == "ies" else "")).removesuffix("e")
    return word.removesuffix("e")


# What people say to somebody whom they have just met, and what they ask such a one.
_SMALL_TALK = frozenset(
    re.findall(
        r"\w+",
        "a about afternoon all and anything are bosun bye can could day do does evening for good hello help hey hi how "
        "i is it me morning ok okay please test thank thanks that the there this to up use what who with work works "
        "you your",
    )
)


def is_small_talk(text: str) -> bool:
    """A greeting, or the question what one is there for: nothing that could be looked up."""
    said = re.findall(r"[^\W_]+", text.casefold())
    return bool(said) and _SMALL_TALK.issuperset(said)
