"""A workflow as a picture: what makes it begin, its steps with the people that they ask, and how it went lately."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from workflows.engine import layout
from workflows.engine.chart import ONE_AT_A_TIME
from workflows.engine.layout import Box, Frame, Told, Way, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workflows.engine.layout import Block, Look, Measure
    from workflows.engine.portrait import Past, Portrait

MARGIN, NARROWEST, HEAD = 24.0, 420.0, 14.0  # hundredths of an inch; HEAD in points
DOTS, WIDEST, HIGHEST = 144, 1600, 3200  # dots of an inch, and of the picture at most
SMALL, LINE = 8.0, 1.75
INK, FAINT, PAPER, LINES = "#1f2937", "#64748b", "#ffffff", "#94a3b8"
FILL: dict[Look, tuple[str, str]] = {  # box and its edge
    "flow": ("#f1f5f9", "#94a3b8"),
    "agent": ("#e0e7ff", "#6366f1"),
    "tool": ("#dcfce7", "#16a34a"),
    "people": ("#fef3c7", "#d97706"),
    "refused": ("#fee2e2", "#dc2626"),
}
SIGNS = {  # colour and sign of what became of something
    "done": ("#15803d", "✓"),
    "nothing": ("#64748b", "–"),
    "failed": ("#b91c1c", "✗"),
    "stopped": ("#b45309", "■"),
    "waits": ("#b45309", "…"),
    "left out": ("#94a3b8", "○"),
}
WORDS = {"nothing": "nothing to report", "waits": "at work"}
BAD, ASKS = "#dc2626", "#b45309"
RUN = 46.0  # from one run to the next


def png(portrait: Portrait) -> bytes:
    """The picture. The same portrait gives the same bytes."""
    with ONE_AT_A_TIME:
        return _drawn(portrait)


def _drawn(portrait: Portrait) -> bytes:
    from matplotlib.figure import Figure

    measure = _ruler()
    steps = layout.sequence(portrait.workflow.steps, portrait.told, measure)
    width = max(steps.width, NARROWEST) + 2 * MARGIN
    heading = [line for text in portrait.heading for line in wrapped(text, width - 2 * MARGIN, SMALL, 2, measure)]
    top = MARGIN + HEAD * LINE + len(heading) * SMALL * LINE + 14
    height = top + steps.height + _foot(portrait) + MARGIN
    scale = min(DOTS, WIDEST / width * 100, HIGHEST / height * 100)
    figure = Figure(figsize=(width / 100, height / 100), dpi=scale, facecolor=PAPER)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.axis("off")
    title = next(iter(wrapped(portrait.workflow.name, width - 2 * MARGIN, HEAD, 1, measure)), "")
    _say(axes, MARGIN, MARGIN, title, HEAD, weight="bold")
    for number, line in enumerate(heading):
        _say(axes, MARGIN, MARGIN + HEAD * LINE + number * SMALL * LINE, line, SMALL, FAINT)
    _steps(axes, steps, MARGIN + (width - 2 * MARGIN - steps.width) / 2, top)
    if portrait.past:
        _past(axes, portrait.past, top + steps.height + 26)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=scale, metadata={"Software": None})
    return buffer.getvalue()


def _ruler() -> Measure:
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.font_manager import FontProperties

    renderer = RendererAgg(10, 10, 100)  # type: ignore[no-untyped-call]

    def measure(text: str, size: float) -> float:
        width, _, _ = renderer.get_text_width_height_descent(  # type: ignore[no-untyped-call]
            shown(text), FontProperties(size=size), ismath=False
        )
        return float(width) * 1.02  # hinting differs a little with the scale

    return measure


def shown(text: str) -> str:
    """The text in letters that the font has: another sign becomes a blank box."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    known = get_font(findfont(FontProperties()))
    return "".join(one if known.get_char_index(ord(one)) else "▯" for one in text)


def _say(  # noqa: PLR0917  where, what and how
    axes: Axes, x: float, y: float, text: str, size: float, colour: str = INK, weight: str = "normal", at: str = "left"
) -> None:
    axes.text(x, y, shown(text), fontsize=size, color=colour, fontweight=weight, ha=at, va="top", parse_math=False)


def _steps(axes: Axes, block: Block, x: float, y: float) -> None:
    for shape in sorted(block.shapes, key=lambda one: isinstance(one, Box)):  # ways go below boxes
        if isinstance(shape, Box):
            _box(axes, shape, x, y)
        elif isinstance(shape, Frame):
            _frame(axes, shape, x, y)
        else:
            _way(axes, shape, x, y)


def _box(axes: Axes, box: Box, x: float, y: float) -> None:
    from matplotlib.patches import FancyBboxPatch

    told: Told = box.told
    fill, edge = FILL[told.look]
    left, line = box.x + x, box.y + y + layout.PAD * 0.8
    axes.add_patch(
        FancyBboxPatch(
            (left, box.y + y), box.width, box.height, boxstyle="round,pad=0,rounding_size=6", fc=fill, ec=edge, lw=1
        )
    )
    left += layout.PAD
    _say(axes, left, line, told.label, layout.LABEL, FAINT)
    if told.mark:
        colour, sign = SIGNS[told.mark]
        _say(axes, box.x + x + box.width - layout.PAD, line - 2, sign, layout.TEXT + 1, colour, "bold", "right")
    line += layout.LABEL * layout.LINE
    for text in box.lines:
        _say(axes, left, line, text, layout.TEXT)
        line += layout.TEXT * layout.LINE
    for small in filter(None, (told.gate, told.undo)):
        _say(axes, left, line, small, layout.LABEL, ASKS if small == told.gate else FAINT, "bold")
        line += layout.LABEL * layout.LINE


def _frame(axes: Axes, frame: Frame, x: float, y: float) -> None:
    from matplotlib.patches import FancyBboxPatch

    axes.add_patch(
        FancyBboxPatch(
            (frame.x + x, frame.y + y),
            frame.width,
            frame.height,
            boxstyle="round,pad=0,rounding_size=8",
            fc="none",
            ec=BAD if frame.failing else LINES,
            ls="--",
            lw=1,
        )
    )


def _way(axes: Axes, way: Way, x: float, y: float) -> None:
    colour = BAD if way.failing else LINES
    points = [(one + x, other + y) for one, other in way.points]
    axes.plot(*zip(*points, strict=True), color=colour, lw=1.2, ls="--" if way.failing else "-", solid_capstyle="round")
    (before, (end_x, end_y)) = points[-2:]
    if way.head:
        across = abs(end_x - before[0]) > abs(end_y - before[1])
        side = (
            ((end_x - 6, end_y - 3.5), (end_x - 6, end_y + 3.5))
            if across
            else ((end_x - 3.5, end_y - 6), (end_x + 3.5, end_y - 6))
        )
        axes.fill(*zip((end_x, end_y), *side, strict=True), color=colour)
    if way.label:
        start_x, start_y = points[0]
        above = -layout.LABEL * layout.LINE if way.failing else 4
        _say(axes, start_x + 5, start_y + above, way.label, layout.LABEL, BAD if way.failing else FAINT)


def _foot(portrait: Portrait) -> float:
    return 74.0 if portrait.past else 0.0


def _past(axes: Axes, past: tuple[Past, ...], y: float) -> None:
    """The last runs, newest on the right, and what their signs mean."""
    meant = "   ".join(
        f"{SIGNS[one][1]} {WORDS.get(one, one)}" for one in SIGNS if one in {each.became for each in past}
    )
    _say(axes, MARGIN, y, f"Last runs, the newest on the right:   {meant}", layout.LABEL, FAINT)
    for number, one in enumerate(past):
        colour, sign = SIGNS[one.became]
        middle = MARGIN + number * RUN + RUN / 2
        _say(axes, middle, y + 16, sign, layout.TEXT + 3, colour, "bold", "center")
        _say(axes, middle, y + 38, one.when, layout.LABEL - 0.5, FAINT, at="center")


def alt_text(portrait: Portrait, most: int = 1000) -> str:
    """What the picture shows, in words, in at most so many characters."""
    count: dict[str, int] = {}
    for one in portrait.past:
        count[one.became] = count.get(one.became, 0) + 1
    lately = ", ".join(f"{number} {WORDS.get(became, became)}" for became, number in count.items())
    steps = " ".join(line.strip().lstrip("-").strip() for line in portrait.in_words)
    text = f"The workflow {portrait.workflow.name}. {' '.join(portrait.heading)}"
    text += f" Last runs: {lately}." if lately else ""
    text += f" Steps: {steps}"
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
