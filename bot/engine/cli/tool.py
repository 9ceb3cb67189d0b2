"""`bosun tool call NAME key=value ...`: a request of a person, done by the Bosun that is running or by its own."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bot.engine.charter import Charter
    from kernel.config import Settings
    from kernel.store import Store
    from kernel.store.runs import Run
    from kernel.types import Inbound

POLL = 0.3  # seconds
PATIENCE = 30.0  # seconds until a running Bosun has taken the request
OVERDUE = timedelta(seconds=30)  # the inbox of a running Bosun takes what another process has left


@click.group()
def command() -> None:
    """Use tools from the command line. The decision rights hold here as they do in the chat."""


@command.command()
@click.argument("name")
@click.argument("arguments", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--as", "person", default="", help="Who asks: an id of people.yaml. The first with the role admin.")
@click.option("--agent", default="lead", show_default=True, help="The agent that has the tool.")
@click.pass_context
def call(ctx: click.Context, name: str, arguments: tuple[str, ...], person: str, agent: str) -> None:
    """Have AGENT call the tool NAME and print what came of it.

    The request stands in the person's direct messages in the web chat as well. Exit code 1 if it fails, 3 if it waits
    for a decision.
    """
    from bot.engine.app import read_charter
    from bot.engine.cli.logs import configure
    from bot.engine.cli.run import is_served
    from kernel.config import read_settings

    settings = read_settings()
    configure("warning")
    inbound = _inbound(read_charter(settings), person, f"{agent}: {_written(name, arguments)}")
    run, did = asyncio.run(_beside(settings, inbound) if is_served(settings) else _alone(settings, inbound))
    click.echo(_outcome(run), err=not did)
    ctx.exit(3 if run.state == "waiting" else 0 if did else 1)


def _written(name: str, arguments: tuple[str, ...]) -> str:
    """The call as people write it out in the chat."""
    words = []
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals:
            raise click.UsageError(f"'{argument}' is no argument: write KEY=VALUE.")
        plain = value.replace("\\", "\\\\").replace('"', '\\"')
        words.append(f'{key}="{plain}"')
    return " ".join(["/tool", name, *words])


def _inbound(charter: Charter, person: str, text: str) -> Inbound:
    """The message that asks for it, from the person's direct messages in the web chat."""
    from kernel.clock import SystemClock, SystemIds
    from kernel.errors import NotFound
    from kernel.types import Actor, Inbound, Place

    admins = [one for one in charter.people if "admin" in charter.people[one].roles]
    chosen = person or (admins[0] if admins else "")
    known = charter.people.get(chosen)
    if known is None:
        raise NotFound(f"There is no person '{chosen}'.", hint=f"People: {', '.join(sorted(charter.people))}.")
    return Inbound(
        key=f"cli/{SystemIds().new()}",
        kind="message",
        place=Place(platform="web", tenant="local", channel=f"dm-{chosen}", kind="dm"),
        actor=Actor(platform="web", tenant="local", user=next(iter(known.web), chosen), name=known.name),
        text=text,
        addressed=True,
        sent_at=SystemClock().now(),
    )


async def _beside(settings: Settings, inbound: Inbound) -> tuple[Run, bool]:
    """Leave it in the inbox of the running process, and wait."""
    from bot.engine.cli.database import opened
    from kernel.clock import SystemClock, SystemIds
    from kernel.store import inbox

    row_id, since = SystemIds().new(), SystemClock().now() - OVERDUE
    with opened(settings) as store:
        await store.write(lambda session: inbox.accept(session, inbound, row_id, since))
        return await _until_over(store, inbound.key)


async def _alone(settings: Settings, inbound: Inbound) -> tuple[Run, bool]:
    """Start everything, ask, and stop."""
    from bot.engine.app import App
    from kernel.config import Address

    app = App(dataclasses.replace(settings, web=Address(port=0)))
    await app.start()
    try:
        await app.reception.receive(inbound)
        return await _until_over(app.store, inbound.key)
    finally:
        await app.stop()


async def _until_over(store: Store, key: str) -> tuple[Run, bool]:
    """The run when it has ended or waits, and whether the tool did what it was asked."""
    from bot.engine.cli.run import until_over
    from kernel.errors import BosunError
    from kernel.store import inbox

    for _ in range(int(PATIENCE / POLL)):
        row = await store.read(lambda session: inbox.by_key(session, "web", key))
        if row is not None and row.run_id:
            run = await until_over(store, row.run_id)
            return run, run.state == "done" and not await _has_failed(store, run.id)
        if row is not None and row.error:
            raise BosunError(row.error)
        await asyncio.sleep(POLL)
    raise BosunError(f"The running Bosun has not taken the request within {PATIENCE:.0f} s.", hint="See its log.")


async def _has_failed(store: Store, run_id: str) -> bool:
    from kernel.store import calls

    made = await store.read(lambda session: calls.of_run(session, run_id))
    return any((call.result or {}).get("error") for call in made)


def _outcome(run: Run) -> str:
    if run.state == "done":
        return run.answer or ""
    if run.state == "waiting":
        return f"{run.ref} waits for a decision: see `bosun approvals`. It goes on while Bosun is running."
    return f"{run.ref} {run.state}: {run.error or 'it was stopped'}"
