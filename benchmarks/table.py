"""The figures as one table, and as data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.compare import LEVELS, Comparison, Life, Series

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from benchmarks.control import Measured
    from benchmarks.door import Door
    from benchmarks.parked import Parked

SUBJECTS = ("bare", "durable", "bosun")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure. Empty where a subject has none."""

    what: str
    bare: str = ""
    durable: str = ""
    bosun: str = ""
    ratio: str = ""  # Bosun to bare
    target: str = ""


HEAD = Row(what="", bare="bare", durable="durable", bosun="Bosun", ratio="to bare", target="target")


def rows(found: Comparison, parked: Parked | None, door: Door | None) -> list[Row]:
    """The whole table."""
    table = [*_latency(found), *_throughput(found), *_clicks(found), *_lives(found)]
    if parked is not None:
        table += _parked(parked)
    if door is not None:
        table += _door(door)
    return table


def _latency(found: Comparison) -> list[Row]:
    table = []
    for span, name in (("sign", "first sign"), ("reply", "reply")):
        for level in LEVELS:
            figures = {one: _p50_p95(found.mentions[one, level], span) for one in SUBJECTS}
            ratio = found.ratio(level, lambda one, span=span: one.p50(span))  # type: ignore[misc]
            target = "3.0x" if (span, level) == ("reply", 1) else ""
            what = f"mention to {name}, {level} in flight, ms p50 (p95)"
            table.append(Row(what=what, **figures, ratio=f"{ratio:.1f}x", target=target))
    return table


def _throughput(found: Comparison) -> list[Row]:
    def each(what: str, level: int, figure: Callable[[Series], float], ratio: float, **more: str) -> Row:
        figures = {one: f"{figure(found.mentions[one, level]):.1f}" for one in SUBJECTS}
        return Row(what=f"{what}, {level} in flight", **figures, ratio=f"{ratio:.2f}x", **more)

    def cpu(one: Measured) -> float:
        return one.cpu_ms

    def speed(one: Measured) -> float:
        return one.per_second

    table = []
    for level in LEVELS:
        target = "60" if level == 50 else ""
        table.append(each("mentions a second", level, lambda s: s.per_second, found.ratio(level, speed), target=target))
    for level in LEVELS:
        target = "3.0x" if level == 50 else ""
        table.append(each("CPU for a mention, ms", level, lambda s: s.cpu_ms, found.ratio(level, cpu), target=target))
    return table


def _clicks(found: Comparison) -> list[Row]:
    table = []
    for span, name in (("click_executed", "tool executed"), ("click_reply", "reply")):
        for level, series in found.approvals.items():
            what = f"click to {name}, {level} in flight, ms p50 (p95)"
            target = "15" if (span, level) == ("click_executed", 1) else ""
            table.append(Row(what=what, bosun=_p50_p95(series, span), target=target))
    for level, series in found.approvals.items():
        what = f"CPU for a request with an approval, {level} in flight, ms"
        table.append(Row(what=what, bosun=f"{series.cpu_ms:.1f}"))
    return table


def _lives(found: Comparison) -> list[Row]:
    def each(what: str, figure: Callable[[Life], str], target: str = "") -> Row:
        return Row(what=what, target=target, **{one: figure(found.lives[one]) for one in SUBJECTS})

    return [
        each("start: exec to connected, s", lambda life: f"{life.ready:.2f}", "3"),
        each("start: exec to the first answer, s", lambda life: f"{life.first_reply:.2f}"),
        each("memory just started, MB", lambda life: f"{life.begun_mb:.0f}"),
        each("memory idle, MB", lambda life: f"{life.idle_mb:.0f}", "200"),
        each("memory after the mentions, MB", lambda life: f"{life.after_mb:.0f}"),
    ]


def _parked(parked: Parked) -> list[Row]:
    name = f"{parked.count:,} parked approvals"
    idle = f"{parked.idle:.1f} ({parked.idle_before:.1f})"
    added = f"{parked.memory - parked.memory_before:.0f}"
    return [
        Row(what=f"{name}: memory added, MB", bosun=added, target="100"),
        Row(what=f"{name}: idle, % of a core (before)", bosun=idle, target="5"),
        Row(what=f"{name}: restart, s (before)", bosun=f"{parked.ready:.2f} ({parked.ready_before:.2f})", target="3"),
        Row(what=f"{name}: click on one to reply, ms", bosun=f"{parked.click_reply:.0f}"),
    ]  # fmt: skip


def _door(door: Door) -> list[Row]:
    table = []
    for what, cost in (("reads", door.read), ("acts", door.act)):
        added = f"{cost.door - cost.bare:.1f} ({cost.door_cpu - cost.bare_cpu:.1f})"
        table.append(Row(what=f"door, added to an allowed call that {what}, p50 ms (CPU)", bosun=added))
    return table


def _p50_p95(series: Series, span: str) -> str:
    return f"{series.p50(span):.1f} ({series.p95(span):.0f})"


def shown(table: Iterable[Row]) -> str:
    """Lined up for a terminal."""
    lines = [[*asdict(row).values()] for row in (HEAD, *table)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    first = [
        [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]
        for line in lines
    ]
    text = ["  ".join(line).rstrip() for line in first]
    return "\n".join([text[0], "-" * max(map(len, text)), *text[1:]])


def data(found: Comparison, parked: Parked | None, door: Door | None) -> dict[str, Any]:
    """Every figure that was measured."""
    return {
        "mentions": [
            {"subject": subject, "in_flight": level, "rounds": [asdict(one) for one in series.rounds]}
            for (subject, level), series in found.mentions.items()
        ],
        "approvals": [
            {"in_flight": level, "rounds": [asdict(one) for one in series.rounds]}
            for level, series in found.approvals.items()
        ],
        "lives": {name: asdict(life) for name, life in found.lives.items()},
        "parked": asdict(parked) if parked is not None else None,
        "door": asdict(door) if door is not None else None,
    }
