"""From a question to the terms that the index of words is asked for."""

from __future__ import annotations

import re

MAX_LENGTH = 2_000  # characters of a query that count
MAX_TERMS = 32

# Words that carry the grammar of a question and not its subject. In a small handbook they are rare enough to mislead.
_GRAMMAR = """a about again allowed also am an and any anyone are as at be been being but by can cannot could
    couldn't did didn't do does doesn't don't else even ever every explain find for from get gets getting give
    given gives got had happen happens has have having he hello help her here hey hi him his how i i'd i'll
    i'm i've if in into is isn't it it's its itself just know let let's like make makes many may me mean means
    might mine more most much my myself need not of often on only or other our ours ourselves please same
    shall she should show so some somebody someone such take takes tell than thank thanks that that's the
    their them themselves then there there's these they this those though to too under up upon us very want
    was we we're were what what's when where which while who who's whom whose why will with without won't
    would yet you you're your yours"""
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
