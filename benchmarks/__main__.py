"""`make bench`: measures on this machine and prints one table; the figures go to benchmarks/results/ as JSON.

Five minutes, or one with --quick. Linux only: CPU and memory come from /proc. Bosun and the yardsticks run on the
first core, the world on the second; what else the machine does shows in the figures, least in the ratios.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import click

from benchmarks import compare, door, parked, table
from benchmarks.control import ROOT, BenchError, World

if TYPE_CHECKING:
    from collections.abc import Callable

RESULTS = ROOT / "benchmarks" / "results"


@click.command(help="Measure Bosun's speed, CPU and memory beside two yardsticks.")
@click.option("--quick", is_flag=True, help="Less of everything: about a minute, and more noise.")
def main(*, quick: bool) -> None:
    """Measure, print, save."""
    if not Path("/proc/self/statm").exists():
        raise SystemExit("The benchmark reads CPU and memory from /proc, which only Linux has.")
    started = monotonic()

    def say(what: str) -> None:
        sys.stderr.write(f"{monotonic() - started:5.0f} s  {what}\n")

    try:
        found, waiting, opened = _measure(quick=quick, say=say)
    except BenchError as error:
        raise SystemExit(f"The measurement broke off: {error}") from error
    print(f"\n{_machine()}\n\n{table.shown(table.rows(found, waiting, opened))}\n")
    figures = {"machine": _machine(), "quick": quick, **table.data(found, waiting, opened)}
    print(f"All figures: {_save(figures).relative_to(ROOT)}")


def _measure(*, quick: bool, say: Callable[[str], None]) -> tuple[compare.Comparison, parked.Parked, door.Door]:
    with tempfile.TemporaryDirectory(prefix="bosun-bench-") as name, World() as world:
        folder = Path(name)
        found = compare.compare(world, folder, compare.QUICK if quick else compare.FULL, say)
        waiting = parked.measure(world, folder, 3.0 if quick else 10.0, say)
        say("calls through the door")
        return found, waiting, door.measure(folder / "door", 100 if quick else 400)


def _machine() -> str:
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, load {load}"


def _save(figures: dict[str, object]) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    path.write_text(json.dumps(figures, indent=1), "utf-8")
    return path


if __name__ == "__main__":
    main()
