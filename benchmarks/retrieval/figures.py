"""What is counted: nDCG and recall at ten, as trec_eval has them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def ndcg(found: Sequence[str], relevant: Mapping[str, int], at: int = 10) -> float:
    """Normalised discounted cumulative gain of an order of ids. Source: Järvelin and Kekäläinen (2002)."""
    gained = sum(relevant.get(each, 0) / math.log2(rank + 2) for rank, each in enumerate(found[:at]))
    best = sum(grade / math.log2(rank + 2) for rank, grade in enumerate(sorted(relevant.values(), reverse=True)[:at]))
    return gained / best if best else 0.0


def recall(found: Sequence[str], relevant: Mapping[str, int], at: int = 10) -> float:
    """The part of the relevant ids that is among the first ten."""
    return len(set(found[:at]) & set(relevant)) / len(relevant) if relevant else 0.0


def percentile(values: Sequence[float], part: float) -> float:
    """The value below which `part` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0
