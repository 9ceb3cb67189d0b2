"""What the door adds to a tool call: `act` as Bosun builds it, beside the tool opened with a permit alone."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks import machine
from benchmarks.control import BOT_CORE, ROOT, BenchError, own_environment
from kernel.clock import SystemClock, SystemIds
from kernel.config import read_settings
from kernel.store import runs
from kernel.types import Actor, Person, Place, RunFacts, ToolCall
from rules.engine.outcome import Finished
from tools.engine.context import ToolContext
from tools.engine.permit import digest_of, issue
from tools.engine.web.settings import WebSettings

if TYPE_CHECKING:
    from bot.engine.app import App

PLACE = Place(platform="slack", tenant="T0BENCH", channel="C0BENCH0001", thread="1.1")
READ = ("list_payments", {"limit": 1})
ACT = ("queue_payment", {"payee": "Acme", "amount": 1, "currency": "EUR", "reference": "1", "why": "change"})


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of one call that the rules allow, in milliseconds: medians."""

    door: float
    door_cpu: float
    bare: float  # the tool alone
    bare_cpu: float


@dataclass(frozen=True, kw_only=True)
class Door:
    """By effect of the tool."""

    read: Cost  # list_payments: nothing is committed before it acts
    act: Cost  # queue_payment: committed as started, then with its result


def measure(folder: Path, count: int) -> Door:
    """Measure in a process of its own, on the bot's core."""
    settings = {"BOSUN_DATA": str(folder), "BOSUN_CHARTER": str(ROOT / "benchmarks" / "charter")}
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.door", str(count)],
        cwd=ROOT, env={**own_environment(), **settings}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    machine.pin(process.pid, BOT_CORE)
    out, errors = process.communicate(timeout=120)
    if process.returncode:
        raise BenchError(f"the door could not be measured:\n{errors[-2000:]}")
    found = json.loads(out)
    return Door(read=Cost(**found["read"]), act=Cost(**found["act"]))


class Calls:
    """Calls of one run, through the door and around it."""

    def __init__(self, app: App, facts: RunFacts) -> None:
        self.app = app
        self.facts = facts
        self.ids = SystemIds()

    async def through(self, tool: str, arguments: dict[str, Any]) -> None:
        """As a segment does it."""
        call = ToolCall(id=self.ids.new(), tool=tool, arguments=arguments)
        outcome = await self.app.door.act(call, self.facts, 2, fresh=True)
        if not isinstance(outcome, Finished) or outcome.result.error:
            raise BenchError(f"The call was not done: {outcome}")

    async def around(self, tool: str, arguments: dict[str, Any]) -> None:
        """The tool with a permit, as the door opens it at the end."""
        call_id, found = self.ids.new(), self.app.tools.get(tool)
        if found is None:
            raise BenchError(f"There is no tool {tool}.")
        permit = issue(call_id=call_id, tool=tool, digest=digest_of(tool, arguments), secrets={})
        await found.perform(permit, arguments, self._context(call_id))

    def _context(self, call_id: str) -> ToolContext:
        app = self.app
        return ToolContext(
            call_id=call_id, facts=self.facts, store=app.store, clock=app.clock, ids=app.ids,
            workspace=app.settings.data / "workspace", knowledge=app.knowledge, directory=app.directory,
            http=WebSettings(),
        )  # fmt: skip


async def _cost(calls: Calls, count: int, call: tuple[str, dict[str, Any]]) -> dict[str, float]:
    """Both in turn, so that whatever else the machine does is the same for both."""
    ways = {"door": calls.through, "bare": calls.around}
    walls: dict[str, list[float]] = {way: [] for way in ways}
    cpus: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(count + 20):
        for way, work in ways.items():
            wall, cpu = time.perf_counter(), time.process_time()
            await work(*call)
            if number >= 20:  # what is loaded once is no cost of a call
                walls[way].append((time.perf_counter() - wall) * 1000)
                cpus[way].append((time.process_time() - cpu) * 1000)
    return {way: median(walls[way]) for way in ways} | {f"{way}_cpu": median(cpus[way]) for way in ways}


async def _begin(app: App) -> RunFacts:
    now, run_id = SystemClock().now(), SystemIds().new()
    run = runs.Run(
        id=run_id, ref="R-BENCH", agent="lead", requester="slack:T0BENCH:U0P00", place=PLACE.model_dump(mode="json"),
        request="pay", created_at=now, updated_at=now,
    )  # fmt: skip
    await app.store.write(lambda session: session.add(run))
    account = Actor(platform="slack", tenant="T0BENCH", user="U0P00", name="Pat")
    person = Person(id=account.account, name="Pat", accounts=(account.account,), listed=False)
    return RunFacts(
        run_id=run_id, ref="R-BENCH", segment=1, agent="lead", requester=person, actor=account, place=PLACE,
        typed=("please pay 1 EUR to Acme, reference 1",),
    )  # fmt: skip


async def _main(count: int) -> None:
    from bot.engine.app import App

    app = App(read_settings())
    calls = Calls(app, await _begin(app))
    found = {"read": await _cost(calls, count, READ), "act": await _cost(calls, count, ACT)}
    print(json.dumps(found), flush=True)
    os._exit(0)  # nothing was started that would have to be stopped


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
