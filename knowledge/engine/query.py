"""From a question to the terms that the index of words is asked for."""

from __future__ import annotations

import re

MAX_LENGTH = 2_000  # characters of a query that count
MAX_TERMS = 32

# Words that carry the grammar of a question and not its subject. In a small handbook they are rare enough to mislead.
_GRAMMAR = """a about am an and any anyone are as at be been but by can could did do does for from get give had has have
    hello hey hi how i if in into is it its just know let like may me might mine my need not of on or our ours please
    shall should so some somebody someone tell than thank thanks that the their them then there these they this those
    to us want was we were what what's when where which who whom whose why will with would you your yours"""
STOP_WORDS = frozenset(_GRAMMAR.split())
_WORD = re.compile(r"[^\W_]+")


def terms(query: str) -> list[str]:
    """The query's words without its grammar, and identifiers (`ERR-1042`, `v2.3.1`) as a phrase and in parts.

    Where nothing but grammar was typed ("who are you"), that is what is searched for.
    """
    found: dict[str, None] = {}
    grammar: dict[str, None] = {}
    for piece in query[:MAX_LENGTH].casefold().replace("’", "'").split():
        words = _WORD.findall(piece)
        if not words:
            continue
        if piece.strip(".,;:!?\"'()[]") in STOP_WORDS:
            grammar.update(dict.fromkeys(words))
            continue
        if len(words) > 1 and any(character.isdigit() for character in piece):
            found[" ".join(words)] = None
        found.update(dict.fromkeys(word for word in words if word not in STOP_WORDS and (word[1:] or word.isdigit())))
    return list(found or grammar)[:MAX_TERMS]
