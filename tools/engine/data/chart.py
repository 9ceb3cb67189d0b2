"""A chart as a PNG, from rows of CSV; drawn without the global state of its library."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tools.engine.failure import CannotDo

MOST_ROWS = 2_000
MOST_BARS = 60
MOST_SERIES = 8
WIDTH, HEIGHT, DPI = 9.0, 5.0, 120
COLOURS = ("#2f6fdb", "#e07b39", "#2f9e6e", "#b4457e", "#7a6bd1", "#8c7a3f", "#4a9fb5", "#c2504d")


@dataclass(frozen=True, kw_only=True)
class Series:
    """A line or a set of bars."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Data:
    """What is drawn."""

    labels: tuple[str, ...]  # along the bottom
    series: tuple[Series, ...]


def read(text: str) -> Data:
    """The first column as labels, every other one as a series of numbers. CannotDo says what does not fit."""
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    if len(rows) < 2 or len(rows[0]) < 2:
        raise CannotDo("A chart needs a line of names and at least one row: label, number.")
    head, *body = rows
    if len(body) > MOST_ROWS or len(head) > MOST_SERIES + 1:
        raise CannotDo(f"A chart has at most {MOST_ROWS:,} rows and {MOST_SERIES} series.")
    if any(len(row) != len(head) for row in body):
        raise CannotDo("Every row needs as many fields as the first line.")
    series = tuple(
        Series(name=name, values=tuple(_number(row[place], name) for row in body))
        for place, name in enumerate(head[1:], 1)
    )
    return Data(labels=tuple(row[0][:40] for row in body), series=series)


def _number(text: str, column: str) -> float:
    try:
        value = float(text.strip() or "nan")
    except ValueError as error:
        raise CannotDo(f"The column {column[:40]} holds something that is no number.") from error
    if math.isinf(value):
        raise CannotDo(f"The column {column[:40]} holds something that is no number.")
    return value


def draw(data: Data, kind: str, title: str) -> bytes:
    """The PNG. CannotDo where the kind does not suit the data."""
    if kind in {"bar", "pie"} and len(data.labels) > MOST_BARS:
        raise CannotDo(f"More than {MOST_BARS} {kind} parts cannot be read. Aggregate, or draw a line.")
    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    places = range(len(data.labels))
    if kind == "pie":
        _pie(axes, data)
    elif kind == "bar":
        width = 0.8 / len(data.series)
        for number, one in enumerate(data.series):
            at = [place + (number - (len(data.series) - 1) / 2) * width for place in places]
            axes.bar(at, one.values, width, label=_plain(one.name), color=COLOURS[number])
    else:
        for number, one in enumerate(data.series):
            marker, line = ("o", "none") if kind == "scatter" else ("", "-")
            axes.plot(places, one.values, marker=marker, linestyle=line, label=_plain(one.name), color=COLOURS[number])
    if kind != "pie":
        _axes(axes, data)
    axes.set_title(_plain(title))
    png = io.BytesIO()
    FigureCanvasAgg(figure).print_png(png, metadata={"Software": None})  # type: ignore[no-untyped-call]  # as it comes
    return png.getvalue()


def _pie(axes: object, data: Data) -> None:
    (one, *others) = data.series
    if others or any(not value >= 0 for value in one.values) or not sum(one.values):
        raise CannotDo("A pie needs one series of numbers that are not negative.")
    axes.pie(one.values, labels=[_plain(label) for label in data.labels], autopct="%1.0f%%")  # type: ignore[attr-defined]


def _axes(axes: object, data: Data) -> None:
    step = max(1, len(data.labels) // 12)
    shown = range(0, len(data.labels), step)
    axes.set_xticks(list(shown), [_plain(data.labels[place]) for place in shown], rotation=30, ha="right")  # type: ignore[attr-defined]
    axes.grid(axis="y", alpha=0.3)  # type: ignore[attr-defined]
    if len(data.series) > 1:
        axes.legend()  # type: ignore[attr-defined]
    else:
        axes.set_ylabel(_plain(data.series[0].name))  # type: ignore[attr-defined]


def _plain(text: str) -> str:
    """Text that is not taken for a formula."""
    return text.replace("$", r"\$")[:80]
