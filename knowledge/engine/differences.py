"""Sources that contradict each other: statements about the same whose values, names or yes and no cannot both hold.

No model takes part, and it is cautious: better silent than wrong. Two statements are about the same where each has
most of the other's words, counting those of titles and headings, and both have what was asked.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from kernel import moments
from kernel.types import Frozen
from knowledge.engine.query import STOP_WORDS, terms
from knowledge.engine.values import MONTHS, SPANS, WEEKDAYS, Value, singular, values

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from knowledge.engine.documents import Passage

SHARED = 0.6  # part of the words of each statement that the other has
CONTAINED, CONTAINING = 0.9, 0.4  # or that the other has, and that it makes of the other: one says more than the other
SAME = 0.8  # part of all words that two statements share which differ in a "not" alone
ASKED = 0.5  # part of the question's words that both have
LONGEST = 400  # characters of a statement; what is longer is no single one
BEST = 2.0  # all words of both
MOST_STATEMENTS = 60  # of one source
MOST = 2  # differences that are told
QUOTED = 140  # characters of a statement that are shown

# Words that say nothing of what a statement is about: what is left without them has to be the same.
_GENERAL = """take takes taken took last lasts need needs cost costs price prices fee fees rate limit limits pay pays
    paid payable go goes start starts begin begins end ends use uses now currently keep keeps kept long much many time
    times everybody everyone all each always usually happens due valid amount number since until next"""
SPAN_KINDS = frozenset(base for base, _size in SPANS.values())
DATE_KINDS = frozenset({"date", "day of the year", "day of the month", "year", "time", "weekday"})
_HOW_LONG = re.compile(r"\bhow (?:long|soon|fast|quickly)\b", re.IGNORECASE)
_HOW_MUCH = re.compile(r"\bhow much\b|\b(?:costs?|prices?|fees?|rates?|limits?|budgets?)\b", re.IGNORECASE)
_HOW_MANY = re.compile(r"\bhow many ([a-z]+)", re.IGNORECASE)
_WHEN = re.compile(r"\bwhen\b|\b(?:what|which) (?:time|day|date)\b|\b(?:deadline|date)\b", re.IGNORECASE)
_WHO = re.compile(r"\b(?:who|whom|whose|where|which)\b", re.IGNORECASE)
_WHETHER = re.compile(r"^\W*(?:is|are|was|were|do|does|did|can|could|may|must|should|has|have|will)\b", re.IGNORECASE)
SKIPPED = STOP_WORDS | {*MONTHS, *WEEKDAYS, *SPANS, *(f"{span}s" for span in SPANS), *_GENERAL.split()}
YES_OR_NO, NAME = "yes or no", "name"

_CHAT = re.compile(r"^[^:\n]{1,80} \(\d{1,2} \w+ \d{4}\): ")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|https?://\S+")
_LEAD = re.compile(r"^\s*(?:>\s*|[-*+]\s+(?:\[[ xX]\]\s+)?|\d{1,3}[.)]\s+|#{1,6}\s+)+")
_SENTENCES = re.compile(r"(?<=[.!?;])\s+(?=[A-Z0-9“\"(])")
_WORD = re.compile(r"[^\W\d_]{2,}")
_NOT = re.compile(r"\b(?:not|never|no|nobody|none|neither|cannot|forbidden|prohibited)\b|n['’]t\b", re.IGNORECASE)
_CODE = re.compile(r"^```.*?(?:^```|\Z)", re.DOTALL | re.MULTILINE)
_MARKUP = re.compile(r"\[\d{1,3}\]|</?[a-zA-Z][^>]*>|[\[\]*_`|<>#]+")


class Stated(NamedTuple):
    """A source as it is looked through."""

    label: str  # how it is named: "[1]"
    document: str  # two passages of one document do not contradict each other
    title: str
    text: str
    day: date | None = None  # when it was written


def stated(passages: Sequence[Passage]) -> list[Stated]:
    """Passages as they are looked through, named by their places in the list: "1."."""
    return [
        Stated(
            f"{number}.",
            passage.document_id,
            passage.where,
            passage.text,
            passage.dated.date() if passage.dated is not None else None,
        )
        for number, passage in enumerate(passages, 1)
    ]


class Side(Frozen):
    """What one of the sources says."""

    label: str
    says: str
    day: str = ""  # "2 March 2026"
    newest: bool = False


class Difference(Frozen):
    """Sources that do not say the same."""

    sides: tuple[Side, ...]

    @property
    def sentence(self) -> str:
        """It in words: who says what, and which is newer."""
        return f"These sources differ: {', '.join(map(_in_words, self.sides))}."


class _Statement(NamedTuple):
    shown: str
    words: frozenset[str]  # stems, without values and grammar
    values: dict[str, Value]
    is_negated: bool
    tokens: tuple[str, ...]
    names: frozenset[str]  # words with a capital that do not begin it


def differences(question: str, sources: Sequence[Stated]) -> list[Difference]:
    """Where sources contradict each other about what was asked; at most two, each source in a side of its own."""
    asked = _stems(" ".join(terms(question)))
    found: list[list[tuple[Stated, _Statement]]] = []
    for one, other in combinations(sources, 2):
        pair = _pair(one, other, asked, question) if one.document != other.document else None
        if pair is None:
            continue
        joined = next((sides for sides in found if any(side in sides for side in pair)), None)
        if joined is None:
            found.append(pair)
        else:
            joined += [side for side in pair if side[0].label not in {known.label for known, _said in joined}]
    return [_told(sides) for sides in found[:MOST]]


def _pair(one: Stated, other: Stated, asked: frozenset[str], question: str) -> list[tuple[Stated, _Statement]] | None:
    """The two statements that contradict each other and are closest; None where there are none."""
    around, around_other = _stems(one.title), _stems(other.title)
    best: tuple[float, list[tuple[Stated, _Statement]]] | None = None
    for first in _statements(one.text):
        for second in _statements(other.text):
            kind = _contradiction(first, second)
            if kind is None:
                continue
            shared = (first.words | around) & (second.words | around_other)
            if not _is_asked(shared, asked, kind, question):
                continue
            close = BEST if kind == NAME else _closeness(first.words, second.words, around, around_other)
            if close and (best is None or close > best[0]):
                best = close, [(one, first), (other, second)]
    return best[1] if best is not None else None


def contradicts(first: str, second: str) -> bool:
    """Whether two facts say the same but for a value, or for yes and no: all their other words are the same."""
    ones, others = _statements(first), _statements(second)
    if len(ones) != 1 or len(others) != 1 or len(ones[0].words) < 2 or ones[0].words != others[0].words:
        return False
    return _contradiction(ones[0], others[0]) not in {None, NAME}


def _is_asked(shared: frozenset[str], asked: frozenset[str], kind: str, question: str) -> bool:
    """Whether two statements that share these words are what the question is about."""
    if asked and asked <= shared and _asks_for(kind, question):
        return True
    if kind == NAME:
        return False
    return len(shared) >= 2 and len(asked & shared) >= max(1.0, ASKED * len(asked))


def _asks_for(kind: str, question: str) -> bool:
    """Whether the question asks for a value of this kind."""
    base = kind.rpartition(" ")[2]
    if kind in {YES_OR_NO, NAME}:
        return bool((_WHETHER if kind == YES_OR_NO else _WHO).search(question))
    if kind in DATE_KINDS:
        return bool(_WHEN.search(question))
    if kind.startswith("money") or kind == "percent":
        return bool(_HOW_MUCH.search(question))
    if base in SPAN_KINDS and _HOW_LONG.search(question):
        return True
    counted = _HOW_MANY.search(question)
    named = singular(counted[1]) if counted is not None else ""
    return named in SPANS if base in SPAN_KINDS else named == base


def _closeness(first: frozenset[str], second: frozenset[str], around: frozenset[str], other: frozenset[str]) -> float:
    """How much two statements are about the same, 1 to 2; 0 where too much of either stands in one of them alone."""
    part = len(first & (second | other)) / len(first) if first else 1.0
    part_other = len(second & (first | around)) / len(second) if second else 1.0
    less, more = sorted((part, part_other))
    is_part = more >= CONTAINED and less >= CONTAINING and len(first & second) >= 2
    return part + part_other if is_part or less >= SHARED else 0.0


def _contradiction(first: _Statement, second: _Statement) -> str | None:
    """The kind of value in which they say different things, all else being the same; None where they do not."""
    if first.names - second.names and second.names - first.names:
        changed = _names_differ(first.tokens, second.tokens)
        return NAME if changed and not first.values and not second.values else None
    if first.values.keys() - DATE_KINDS != second.values.keys() - DATE_KINDS:
        return None
    differing = [kind for kind in first.values.keys() & second.values.keys() if _differ(first, second, kind)]
    if differing or first.values or second.values:
        return differing[0] if len(differing) == 1 else None
    if first.is_negated == second.is_negated:
        return None
    same = len(first.words & second.words) >= SAME * len(first.words | second.words)
    return YES_OR_NO if same else None


def _differ(first: _Statement, second: _Statement, kind: str) -> bool:
    return first.values[kind].differs(second.values[kind])


def _names_differ(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    """Whether all is the same but for one name: "Invoices go to Jo" and "Invoices go to Kim"."""
    if len(first) != len(second) or len(first) < 3:
        return False
    others = [(number, a, b) for number, (a, b) in enumerate(zip(first, second, strict=True)) if a.lower() != b.lower()]
    return len(others) == 1 and others[0][0] > 0 and all(name[:1].isupper() for name in others[0][1:])


@lru_cache(512)
def _statements(text: str) -> tuple[_Statement, ...]:
    """What a text states, sentence by sentence, item by item, row by row. Questions state nothing."""
    lines = (_LINK.sub(r"\1", _LEAD.sub("", _CHAT.sub("", line))) for line in _CODE.sub("", text).splitlines())
    said = [each for line in lines for each in _SENTENCES.split(plain(line))]
    stated = [each for each in said if 8 <= len(each) <= LONGEST and not each.endswith("?")]
    return tuple(map(_statement, stated[:MOST_STATEMENTS]))


def plain(text: str) -> str:
    """One line that is no markup anywhere, and cites nothing."""
    return " ".join(_MARKUP.sub(" ", text).split())


def _statement(sentence: str) -> _Statement:
    held, rest = values(sentence)
    tokens = tuple(_WORD.findall(sentence))
    is_negated = len(_NOT.findall(sentence)) % 2 == 1
    names = frozenset(token for token in _WORD.findall(rest)[1:] if token[0].isupper())
    return _Statement(sentence, _stems(_NOT.sub(" ", rest)), held, is_negated, tokens, names)


@lru_cache(4096)
def _stems(text: str) -> frozenset[str]:
    """The words that carry meaning, without their endings."""
    return frozenset(_stem(word) for word in _WORD.findall(text.casefold()) if word not in SKIPPED)


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word.removesuffix(ending)
            break
    return word.removesuffix("e")


def _told(sides: Iterable[tuple[Stated, _Statement]]) -> Difference:
    sides = list(sides)
    days = {source.day for source, _said in sides if source.day is not None}
    newest = max(days) if len(days) > 1 else None
    return Difference(
        sides=tuple(
            Side(
                label=source.label,
                says=said.shown if len(said.shown) <= QUOTED else f"{said.shown[: QUOTED - 1].rsplit(' ', 1)[0]} …",
                day=moments.day(source.day) if source.day is not None else "",
                newest=newest is not None and source.day == newest,
            )
            for source, said in sides
        )
    )


def _in_words(side: Side) -> str:
    about = ", ".join(filter(None, [side.day, "newer" if side.newest else ""]))
    return f"{side.label} says “{side.says}”" + (f" ({about})" if about else "")
