"""Where each part of a workflow stands in its picture. Pure geometry, in hundredths of an inch; it knows no library.

Sequences go downwards, the ways of a branch stand side by side, what is done for every entry stands in a frame.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from workflows.engine.definition import Step

WIDTH = 260.0  # of a box
PAD, GAP, BESIDE, FRAME = 10.0, 26.0, 28.0, 16.0
LABEL, TEXT = 7.0, 8.5  # sizes of letters, in points
LINE = 1.75  # height of a line for each point of its letters
MOST_LINES = 3  # of what a step does; the rest is cut
ELLIPSIS = "…"

Measure = Callable[[str, float], float]  # how wide a text is in letters of so many points
Look = Literal["flow", "agent", "tool", "people", "refused"]


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the box of one step says."""

    label: str  # "ask · summary"
    text: str  # what it does
    gate: str = ""  # whom it asks
    undo: str = ""  # what undoes it
    look: Look = "flow"
    mark: str = ""  # how it went in the last run: "done", "failed", "waits"


@dataclass(frozen=True, kw_only=True)
class Box:
    """A step, or the head of a branch or loop."""

    x: float
    y: float
    width: float
    height: float
    lines: tuple[str, ...]  # of the text
    told: Told


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What is done for every entry of a list, or instead of a step that fails."""

    x: float
    y: float
    width: float
    height: float
    failing: bool = False


@dataclass(frozen=True, kw_only=True)
class Way:
    """A line from step to step; with a head, an arrow."""

    points: tuple[tuple[float, float], ...]
    label: str = ""  # stands beside its first point
    head: bool = True
    failing: bool = False


Shape = Box | Frame | Way


@dataclass(frozen=True, kw_only=True)
class Block:
    """Some shapes, from (0, 0) on; the way in is at the top of `centre`, the way out at its bottom."""

    width: float
    height: float
    centre: float
    shapes: tuple[Shape, ...] = field(default=())


def sequence(steps: Sequence[Step], told: Callable[[Step], Told], measure: Measure) -> Block:
    """Steps one below the other."""
    blocks = [_one(step, told, measure) for step in steps]
    if not blocks:
        return Block(width=0, height=0, centre=0)
    left = max(block.centre for block in blocks)
    right = max(block.width - block.centre for block in blocks)
    shapes: list[Shape] = []
    y = 0.0
    for number, block in enumerate(blocks):
        if number:
            shapes.append(Way(points=((left, y), (left, y + GAP))))
            y += GAP
        shapes += _moved(block.shapes, left - block.centre, y)
        y += block.height
    return Block(width=left + right, height=y, centre=left, shapes=tuple(shapes))


def wrapped(text: str, width: float, size: float, most: int, measure: Measure) -> tuple[str, ...]:
    """The text in at most so many lines of that width; what does not fit is cut, with an ellipsis."""
    lines: list[str] = []
    words = text.split()
    while words and len(lines) < most:
        line = words.pop(0)
        while words and measure(f"{line} {words[0]}", size) <= width:
            line = f"{line} {words.pop(0)}"
        if measure(line, size) > width:  # one word that is longer than a line goes on in the next
            fits = _fitting(line, width, size, measure)
            words.insert(0, line[fits:])
            line = line[:fits]
        lines.append(line)
    if words and lines:
        last = f"{lines[-1]}{ELLIPSIS}"
        while measure(last, size) > width and len(last) > 1:
            last = f"{last[:-2].rstrip()}{ELLIPSIS}"
        lines[-1] = last
    return tuple(lines)


def _fitting(word: str, width: float, size: float, measure: Measure) -> int:
    count = len(word)
    while count > 1 and measure(word[:count], size) > width:
        count -= 1
    return count


def _one(step: Step, told: Callable[[Step], Told], measure: Measure) -> Block:
    block = _box(told(step), measure)
    if step.blocks:
        inside = {name: sequence(held, told, measure) for name, held in step.blocks.items()}
        block = _loop(block, next(iter(inside.values()))) if len(inside) == 1 else _branch(block, inside)
    if isinstance(step.on_failure, tuple):
        block = _failing(block, sequence(step.on_failure, told, measure))
    return block


def _box(told: Told, measure: Measure) -> Block:
    inner = WIDTH - 2 * PAD
    lines = wrapped(told.text, inner, TEXT, MOST_LINES, measure)
    told = replace(
        told,
        label=next(iter(wrapped(told.label, inner - 20, LABEL, 1, measure)), ""),  # the mark stands beside it
        gate=next(iter(wrapped(told.gate, inner, LABEL, 1, measure)), ""),
        undo=next(iter(wrapped(told.undo, inner, LABEL, 1, measure)), ""),
    )
    small = 1 + bool(told.gate) + bool(told.undo)
    height = 2 * PAD * 0.8 + small * LABEL * LINE + len(lines) * TEXT * LINE
    box = Box(x=0, y=0, width=WIDTH, height=height, lines=lines, told=told)
    return Block(width=WIDTH, height=height, centre=WIDTH / 2, shapes=(box,))


def _loop(head: Block, inside: Block) -> Block:
    """A frame with its head and what is done each time."""
    left = max(head.centre, inside.centre)
    right = max(head.width - head.centre, inside.width - inside.centre)
    width, height = left + right + 2 * FRAME, head.height + GAP + inside.height + 2 * FRAME
    centre, below = left + FRAME, FRAME + head.height
    shapes: list[Shape] = [
        Frame(x=0, y=0, width=width, height=height),
        Way(points=((centre, 0), (centre, FRAME)), head=False),
        *_moved(head.shapes, centre - head.centre, FRAME),
        Way(points=((centre, below), (centre, below + GAP))),
        *_moved(inside.shapes, centre - inside.centre, below + GAP),
        Way(points=((centre, height - FRAME), (centre, height)), head=False),
    ]
    return Block(width=width, height=height, centre=centre, shapes=tuple(shapes))


def _branch(head: Block, ways: dict[str, Block]) -> Block:
    """The head, and its ways side by side until they meet again."""
    columns = [replace(one, width=max(one.width, WIDTH / 2)) if not one.shapes else one for one in ways.values()]
    columns = [one if one.shapes else replace(one, centre=one.width / 2) for one in columns]
    width = sum(one.width for one in columns) + BESIDE * (len(columns) - 1)
    tallest = max(one.height for one in columns)
    centre = max(width / 2, head.centre)
    shift = centre - width / 2
    top, bottom = head.height + GAP * 1.6, head.height + GAP * 1.6 + tallest
    turn, meet = head.height + GAP * 0.6, bottom + GAP * 0.7
    shapes: list[Shape] = list(_moved(head.shapes, centre - head.centre, 0))
    shapes.append(Way(points=((centre, head.height), (centre, turn)), head=False))
    for name, one in zip(ways, columns, strict=True):
        x = shift + one.centre
        shapes.append(Way(points=((centre, turn), (x, turn)), head=False))
        if one.shapes:
            shapes.append(Way(points=((x, turn), (x, top)), label=name))
            shapes += _moved(one.shapes, shift, top)
        else:
            shapes.append(Way(points=((x, turn), (x, top)), label=f"{name}: goes on", head=False))
        start = top + one.height
        shapes.append(Way(points=((x, start), (x, meet), (centre, meet)), head=False))
        shift += one.width + BESIDE
    return Block(width=max(width, 2 * centre), height=meet, centre=centre, shapes=tuple(shapes))


def _failing(block: Block, instead: Block) -> Block:
    """The step, and to its right what is done where it fails."""
    x, y = block.width + BESIDE * 2.4, 0.0
    width, height = instead.width + 2 * FRAME, instead.height + 2 * FRAME
    middle = min(block.height, height) / 2
    whole = max(block.height, height)
    on = (
        (Way(points=((block.centre, block.height), (block.centre, whole)), head=False),) if whole > block.height else ()
    )
    shapes = (
        *block.shapes,
        *on,
        Way(points=((block.width, middle), (x, middle)), label="if it fails", failing=True),
        Frame(x=x, y=y, width=width, height=height, failing=True),
        *_moved(instead.shapes, x + FRAME, y + FRAME),
    )
    return Block(width=x + width, height=whole, centre=block.centre, shapes=shapes)


def _moved(shapes: Sequence[Shape], x: float, y: float) -> list[Shape]:
    moved: list[Shape] = []
    for shape in shapes:
        if isinstance(shape, Way):
            moved.append(replace(shape, points=tuple((one + x, other + y) for one, other in shape.points)))
        else:
            moved.append(replace(shape, x=shape.x + x, y=shape.y + y))
    return moved
