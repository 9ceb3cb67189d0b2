"""From what the two indexes say to one order. Pure functions; the figures are those of the shipped model."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MEANING, WORDS = 0.6, 0.4  # weights of cosine and of bm25 / best bm25: better than either, and than fused ranks
CLOSE = 0.35  # cosine from which a passage is taken to be about the question
WORD_BY_WORD = 1.0  # weight of MaxSim beside the score of both indexes
COVERED = 0.5  # part of the question's idf mass that a passage must have where nothing is close


class Ranked(NamedTuple):
    """A chunk and its score."""

    id: int
    score: float  # 0 to 1


def fuse(cosines: Mapping[int, float], bm25: Mapping[int, float], best_bm25: float) -> list[Ranked]:
    """All chunks that either index named, best first; the older of two that are equal comes first."""
    scale = WORDS / best_bm25 if best_bm25 > 0 else 0.0
    named = dict.fromkeys([*cosines, *bm25])
    return in_order({n: MEANING * max(cosines.get(n, 0.0), 0.0) + scale * bm25.get(n, 0.0) for n in named})


def in_order(scores: Mapping[int, float]) -> list[Ranked]:
    """Best first; the older of two that are equal comes first."""
    return sorted((Ranked(n, score) for n, score in scores.items()), key=lambda ranked: (-ranked.score, ranked.id))


def with_windows(ranked: Iterable[Ranked], windows: Mapping[int, int]) -> list[Ranked]:
    """The order once each message counts half alone and half in its window of a neighbour on each side.

    `windows`: window -> its message. Windows themselves are not in what comes out.
    """
    scores = {entry.id: entry.score for entry in ranked}
    halves: dict[int, float] = {}
    for window, message in windows.items():
        halves[message] = scores.pop(window, 0.0) if message != window else 0.0
    return in_order({n: (score + halves[n]) / 2 if n in halves else score for n, score in scores.items()})


def compared(ranked: list[Ranked], fits: Mapping[int, float]) -> list[Ranked]:
    """The order once the chunks in `fits` were compared word by word; they stay before the others."""
    best = in_order(
        {
            entry.id: (entry.score + WORD_BY_WORD * fits[entry.id]) / (1 + WORD_BY_WORD)
            for entry in ranked
            if entry.id in fits
        }
    )
    return [*best, *(entry for entry in ranked if entry.id not in fits)]


def answers(cosines: Iterable[float], shares: Iterable[float]) -> bool:
    """Whether any passage is about the question: close in meaning, or with at least half of its weight in words."""
    return max(cosines, default=0.0) >= CLOSE or max(shares, default=0.0) >= COVERED
