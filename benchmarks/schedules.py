"""What ten thousand scheduled workflows cost while none is due, and how late those that are due begin.

`python -m benchmarks.schedules [--count 10000] [--seconds 75]` runs the scheduler with its real alarm and clock on a
SQLite file. One workflow is due each minute; the others are spread over the day, so that about seven more are.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, process_time
from typing import TYPE_CHECKING

from sqlmodel import select

from kernel.clock import SystemClock, SystemIds
from kernel.store import migrations, open_store
from kernel.store.schedules import Firing
from kernel.types import Place
from workflows.engine.definition import Step, Timed, Workflow
from workflows.engine.launch import Launch
from workflows.engine.scheduler import Scheduler
from workflows.engine.trigger import Trigger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.store import Store

ZONES = ("Europe/Zurich", "America/New_York", "Asia/Tokyo", "Australia/Sydney", "Asia/Kolkata", "Europe/London")
HOME = Place(platform="web", tenant="local", channel="general")


@dataclass(frozen=True, kw_only=True)
class Scheduled:
    """The figures."""

    count: int
    start: float  # seconds until all schedules are known, at the first start
    restart: float  # seconds the same takes at the next one
    idle: float  # percent of a core, firings included
    late: tuple[float, ...]  # seconds between the time of a firing and its run, in order
    memory: float  # MB, the largest


def flows(count: int) -> dict[str, Workflow]:
    """That many workflows, each on a timetable of its own."""
    found = {}
    for number in range(count):
        cron = "* * * * *" if number == 0 else f"{number % 60} {number // 60 % 24} * * *"
        name = f"plan-{number}"
        found[name] = Workflow(
            name=name,
            description="One of many",
            channel="#general",
            zone="UTC",
            timed=(Timed(trigger=Trigger(cron=cron), zone=ZONES[number % len(ZONES)]),),
            steps=(Step(id="post", kind="post", options={"text": "Hi"}),),
            overlap="skip" if number else "replace",
        )
    return found


def scheduler(store: Store, known: Mapping[str, Workflow]) -> Scheduler:
    """The scheduler as a running Bosun has it."""
    launch = Launch(
        store=store,
        clock=SystemClock(),
        ids=SystemIds(),
        workflows=lambda: known,
        home=lambda _name, _platform: HOME,
        charter=lambda: "",
    )
    return Scheduler(launch, jobs=(launch.take_wanted,))


async def measure(store: Store, count: int, seconds: float) -> Scheduled:
    """Start, start again, and watch for so long."""
    known = flows(count)
    start = await _started(scheduler(store, known), then_stop=True)
    running = scheduler(store, known)
    restart = await _started(running, then_stop=False)
    cpu, begun = process_time(), SystemClock().now()
    await asyncio.sleep(seconds)
    idle = (process_time() - cpu) / seconds * 100
    await running.stop()
    rows = await store.read(lambda session: list(session.exec(select(Firing).where(Firing.fire_at > begun))))
    late = sorted((row.created_at - row.fire_at).total_seconds() for row in rows)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Scheduled(count=count, start=start, restart=restart, idle=idle, late=tuple(late), memory=memory)


async def _started(one: Scheduler, *, then_stop: bool) -> float:
    at = monotonic()
    await one.start()
    took = monotonic() - at
    if then_stop:
        await one.stop()
    return took


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=75.0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bosun-schedules-") as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'schedules.sqlite3'}")
        migrations.upgrade(store)
        found = asyncio.run(measure(store, chosen.count, chosen.seconds))
        store.close()
    worst = f", the latest {max(found.late):.3f} s after its time" if found.late else ""
    print(
        f"{found.count:,} scheduled workflows\n"
        f"  first start    {found.start:.1f} s\n"
        f"  another start  {found.restart:.1f} s\n"
        f"  CPU            {found.idle:.2f}% of a core over {chosen.seconds:.0f} s\n"
        f"  firings        {len(found.late)}{worst}\n"
        f"  memory         {found.memory:.0f} MB at most"
    )


if __name__ == "__main__":
    main()
