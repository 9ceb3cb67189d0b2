"""From what the two indexes say to one order. Pure functions; the figures are those of the shipped model."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MEANING, WORDS = 0.6, 0.4  # weights of cosine and of bm25 / best bm25: better than either, and than fused ranks
CLOSE = 0.35  # cosine from which a passage is taken to be about the question
COVERED = 0.5  # part of the question's idf mass that a passage must have where nothing is close


class Ranked(NamedTuple):
    """A chunk and its score."""

    id: int
    score: float  # 0 to 1


def fuse(cosines: Mapping[int, float], bm25: Mapping[int, float], best_bm25: float) -> list[Ranked]:
    """All chunks that either index named, best first; the older of two that are equal comes first."""
    scale = WORDS / best_bm25 if best_bm25 > 0 else 0.0
    named = dict.fromkeys([*cosines, *bm25])
    scores = (Ranked(n, MEANING * max(cosines.get(n, 0.0), 0.0) + scale * bm25.get(n, 0.0)) for n in named)
    return sorted(scores, key=lambda ranked: (-ranked.score, ranked.id))


def answers(cosines: Iterable[float], shares: Iterable[float]) -> bool:
    """Whether any passage is about the question: close in meaning, or with at least half of its weight in words."""
    return max(cosines, default=0.0) >= CLOSE or max(shares, default=0.0) >= COVERED
