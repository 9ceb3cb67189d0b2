"""`bosun run NAME`: by the Bosun that is running on this data, or by one started for the purpose."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from kernel.config import Settings
    from kernel.store import Session, Store
    from kernel.store.runs import Run

POLL = 0.3  # seconds
PATIENCE = 15.0  # seconds until a running Bosun has taken the request


@click.command()
@click.argument("name")
@click.pass_context
def command(ctx: click.Context, name: str) -> None:
    """Run the workflow NAME now, wait for its end and print the result.

    The result also goes to the workflow's channel. Where Bosun is running on the same data, it does the work.
    Exit code 1 if the run fails.
    """
    from bot.engine.cli.logs import configure
    from kernel.config import read_settings

    settings = read_settings()
    configure("warning")
    run = asyncio.run(_beside(settings, name) if is_served(settings) else _alone(settings, name))
    _show(run)
    ctx.exit(0 if run.state in {"done", "waiting"} else 1)


def is_served(settings: Settings) -> bool:
    """Whether a process is running on this data."""
    if settings.database_url is None:
        from kernel import lock
        from kernel.errors import AlreadyRunning

        try:
            lock.hold(settings.data).release()
        except AlreadyRunning:
            return True
        return False
    from bot.engine.cli.database import opened
    from kernel.engine import LEASE
    from kernel.errors import StoreError
    from kernel.store import executors

    try:
        with opened(settings) as store:
            return bool(store.read_now(lambda session: executors.live(session, LEASE)))
    except StoreError:  # no tables yet: nobody can be running
        return False


async def _beside(settings: Settings, name: str) -> Run:
    """Ask the running process, and wait."""
    from bot.engine.cli.database import opened
    from kernel.clock import SystemClock, SystemIds
    from kernel.errors import BosunError, NotFound
    from kernel.store import schedules

    wanted_id = SystemIds().new()
    wanted = schedules.Wanted(id=wanted_id, workflow=name, asked_by="cli", created_at=SystemClock().now())
    with opened(settings) as store:
        await store.write(lambda session: schedules.want(session, wanted))
        for _ in range(int(PATIENCE / POLL)):
            row = await store.read(lambda session: session.get_one(schedules.Wanted, wanted_id))
            if row.error:
                raise NotFound(row.error)
            if row.run_id:
                return await until_over(store, row.run_id)
            await asyncio.sleep(POLL)
    raise BosunError(f"The running Bosun has not taken the request within {PATIENCE:.0f} s.", hint="See its log.")


async def _alone(settings: Settings, name: str) -> Run:
    """Start everything, run it, deliver what it posts, and stop."""
    from bot.engine.app import App
    from kernel.config import Address

    app = App(dataclasses.replace(settings, web=Address(port=0)))
    await app.start()
    try:
        run = await app.store.write(lambda session: app.workflows.launch.run_now(session, name, asked_by="cli"))
        ended = await until_over(app.store, run.id)
        await _until_sent(app.store)
        return ended
    finally:
        await app.stop()


async def until_over(store: Store, run_id: str) -> Run:
    """The run once it has ended, or once it waits for people."""
    from kernel.store import approvals, runs

    def look(session: Session) -> tuple[Run, bool]:
        run = session.get_one(runs.Run, run_id)
        ids = [run_id, *(child.id for child in runs.children(session, run_id))]
        rows = [row for one in ids for row in approvals.of_run(session, one)]
        return run, any(row.state == approvals.PENDING for row in rows)

    while True:
        run, waits = await store.read(look)
        if run.state in runs.FINAL or (waits and run.state == runs.WAITING):
            return run
        await asyncio.sleep(POLL)


async def _until_sent(store: Store) -> None:
    """Everything is posted, or has been tried for a while: the rest goes out at the next start."""
    from kernel.clock import SystemClock
    from kernel.store import outbox

    for _ in range(30):
        if not await store.read(lambda session: outbox.due_lanes(session, SystemClock().now())):
            return
        await asyncio.sleep(POLL)


def _show(run: Run) -> None:
    if run.state == "waiting":
        click.echo(f"{run.ref} waits for a decision: see `bosun approvals`. It goes on while Bosun is running.")
    elif run.state != "done":
        click.echo(f"{run.ref} {run.state}: {run.error or 'it was stopped'}", err=True)
    elif sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(run.answer or ""))
    else:
        click.echo(run.answer or "")
