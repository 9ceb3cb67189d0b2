"""Where the CPU of a mention goes: `.venv/bin/python -m benchmarks.profile [mention|approval|idle] [--calls]`.

By default a sampler charges each function with the CPU of all threads; --calls runs all threads under cProfile, which
slows everything by half and more but counts calls. All figures are milliseconds of one request, with `idle` of
one second after the start.
"""

from __future__ import annotations

import json
import os
import pstats
import shutil
import signal
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any, Literal

import click

from benchmarks.control import BARE, BOSUN, DURABLE, ROOT, Running, World

if TYPE_CHECKING:
    from benchmarks.world.requests import Kind

Json = dict[str, Any]

SHOWN = 60
WAITING = ("<method 'get' of '_queue", "<method 'acquire' of '_thread.lock'", "<built-in method time.sleep")
SUBJECTS = {one.name: one for one in (BOSUN, BARE, DURABLE)}


@click.command()
@click.argument("kind", type=click.Choice(["mention", "approval", "idle"]), default="mention")
@click.option("--count", default=400, help="Requests that are measured, or seconds.")
@click.option("--in-flight", default=20)
@click.option("--subject", type=click.Choice([*SUBJECTS]), default="bosun")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep the raw profile here (for pstats with --calls).")
@click.option("--calls", is_flag=True, help="cProfile instead of samples.")
def main(
    *, kind: Kind | Literal["idle"], count: int, in_flight: int, subject: str, calls: bool, keep: Path | None
) -> None:
    """Load a subject and print where its CPU went."""
    with tempfile.TemporaryDirectory(prefix="bosun-profile-") as name, World() as world:
        out = Path(name) / "profile"
        plain = SUBJECTS[subject]
        wrapper = ("-m", "benchmarks.tracer" if calls else "benchmarks.sampler", str(out))
        wrapped = replace(plain, command=(*wrapper, *plain.command[1:]))
        world.install(wrapped)
        with Running(world, wrapped, Path(name) / "data") as one:
            if kind != "idle":
                one.calm()
                one.load(kind, 60, in_flight)
            os.kill(one.pid, signal.SIGUSR1)
            sleep(0.2)
            if kind == "idle":
                sleep(count)
            else:
                found = one.load(kind, count, in_flight)
                print(f"{found.per_second:.0f} a second, {found.cpu_ms:.1f} ms of CPU each, the profiler included\n")
            os.kill(one.pid, signal.SIGUSR2)
            sleep(2.0)
        if keep is not None:
            shutil.copy(out, keep)
        if calls:
            _called(out, count)
        else:
            _sampled(json.loads(out.read_text("utf-8")), count)


def _sampled(profile: Json, count: int) -> None:
    functions = profile["functions"]
    _print("by thread", profile["threads"], count)
    packages: Counter[str] = Counter()
    for row in functions:
        packages[_package(row["where"])] += row["own"]
    _print("own, by package", packages, count)
    _print("own, by function", {_name(row): row["own"] for row in functions}, count)
    ours = [row for row in functions if row["where"].startswith(str(ROOT)) and "/.venv/" not in row["where"]]
    _print("with what it calls, Bosun's functions", {_name(row): row["all"] for row in ours}, count)
    others = [row for row in functions if row not in ours]
    _print("with what it calls, others", {_name(row): row["all"] for row in others}, count)


def _called(out: Path, count: int) -> None:
    rows = pstats.Stats(str(out)).stats  # type: ignore[attr-defined]
    print(" calls       own     total")
    for column in (2, 3):
        worked = [(where, row) for where, row in rows.items() if not where[2].startswith(WAITING)]
        for where, row in sorted(worked, key=lambda pair: -pair[1][column])[:SHOWN]:
            file, line, name = where
            place = f"{_short(file)}:{line}  {name}"
            print(f"{row[1] / count:6.1f} {row[2] / count * 1e3:9.3f} {row[3] / count * 1e3:9.3f}  {place}")
        print()


def _print(title: str, figures: dict[str, int], count: int) -> None:
    print(f"{title}: {sum(figures.values()) / count / 1e6:.2f}" if title.startswith(("own", "by")) else title)
    for name, spent in sorted(figures.items(), key=lambda pair: -pair[1])[:SHOWN]:
        print(f"{spent / count / 1e6:9.3f}  {name}")
    print()


def _package(where: str) -> str:
    """`sqlalchemy`, `python3.11/asyncio`, or `bot/engine`."""
    parts = _short(where).split("/")
    if where.startswith(str(ROOT)) and "/.venv/" not in where:
        return "/".join(parts[:2])
    return "/".join(parts[1:3]) if parts[0] == "lib" else parts[0].partition(":")[0]


def _name(row: Json) -> str:
    return f"{_short(row['where'])}  {row['name']}"


def _short(where: str) -> str:
    if "/site-packages/" in where:
        return where.partition("/site-packages/")[2]
    return where.removeprefix(str(ROOT) + "/").removeprefix(sys.base_prefix + "/")


if __name__ == "__main__":
    main()
