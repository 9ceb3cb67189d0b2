"""`bosun runs`."""

from __future__ import annotations

import click

STATES = ("queued", "waiting", "done", "failed", "stopped")


@click.command()
@click.option("-n", "--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@click.option("--state", multiple=True, type=click.Choice(STATES), help="Only these; may be repeated.")
def command(limit: int, state: tuple[str, ...]) -> None:
    """List runs, newest first: what was asked, who answers, what became of it."""
    from bot.engine.cli.database import opened
    from bot.engine.cli.tables import show, when
    from kernel.config import read_settings
    from kernel.store import runs

    with opened(read_settings()) as store:
        found = store.read_now(lambda session: runs.listing(session, state, limit))
    rows = [
        (run.ref, when(run.created_at), run.state, run.agent or run.workflow or "", run.requester, run.request)
        for run in found
    ]
    show(("run", "begun", "state", "agent", "asked by", "request"), rows, empty="No runs.")
