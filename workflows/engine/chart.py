"""Bars by day as a PNG, with the sentence that says the same to who cannot see it."""

from __future__ import annotations

import io
import threading
from datetime import date
from typing import TYPE_CHECKING

from kernel.types import Frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

ONE_AT_A_TIME = threading.Lock()  # the library keeps state of its own
GOOD, BAD, INK, GRID = "#2a6fdb", "#c2410c", "#334155", "#e2e8f0"
REQUESTS = "Requests"
WIDTH, HEIGHT, DOTS = 7.2, 2.6, 120  # inches, and dots of each


class Day(Frozen):
    """One bar."""

    day: date
    done: int
    failed: int


class Chart(Frozen):
    """A picture, and what it shows."""

    name: str  # of its file
    content: bytes  # PNG
    alt: str


def of_requests(days: Sequence[Day]) -> Chart:
    """How many requests there were."""
    return Chart(name="requests.png", content=png(REQUESTS, days), alt=alt_text(REQUESTS, days))


def alt_text(title: str, days: Sequence[Day]) -> str:
    """What the chart shows, in words."""
    parts = [f"{one.day.day} {one.day:%B}: {one.done + one.failed}" for one in days if one.done + one.failed]
    failed = sum(one.failed for one in days)
    return f"{title}, bars by day. {'; '.join(parts)}. {failed or 'None'} of them did not finish."


def png(title: str, days: Sequence[Day]) -> bytes:
    """The chart. The same days give the same bytes."""
    with ONE_AT_A_TIME:
        return _drawn(title, days)


def _drawn(title: str, days: Sequence[Day]) -> bytes:
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DOTS, layout="constrained")
    axes = figure.subplots()
    places, done = range(len(days)), [one.done for one in days]
    axes.bar(places, done, color=GOOD, width=0.7, label="done")
    if any(one.failed for one in days):
        axes.bar(
            places, [one.failed for one in days], bottom=done, color=BAD, width=0.7, hatch="//", label="not finished"
        )
        axes.legend(frameon=False, fontsize=8)
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    axes.set_xticks(list(places), [f"{one.day:%a}\n{one.day.day}" for one in days], fontsize=8, color=INK)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.tick_params(axis="y", labelsize=8, colors=INK)
    axes.grid(axis="y", color=GRID)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
