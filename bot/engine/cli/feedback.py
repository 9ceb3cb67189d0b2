"""`bosun feedback`."""

from __future__ import annotations

import click


@click.command()
@click.option("-d", "--days", default=30, show_default=True, type=click.IntRange(1, 3650), help="How far back.")
@click.option("--bad", is_flag=True, help="Only answers that did not help.")
def command(days: int, *, bad: bool) -> None:
    """List what people said of answers, newest first: whether one helped, and why not.

    Names are not shown, and of private conversations neither what was asked nor why it did not help: whoever gave a
    reason was told so.
    """
    import asyncio
    from datetime import timedelta

    from bot.engine.app import read_charter
    from bot.engine.cli.database import opened
    from bot.engine.cli.tables import show, when
    from bot.engine.directory import TeamDirectory
    from bot.engine.linked import LinkedAccounts
    from bot.engine.sight import charter_name
    from kernel.clock import SystemClock
    from kernel.config import read_settings
    from kernel.store import feedback

    settings, clock = read_settings(), SystemClock()
    charter = read_charter(settings)
    with opened(settings) as store:
        linked = LinkedAccounts(store, clock)
        asyncio.run(linked.refresh())
        directory = TeamDirectory(lambda: charter, clock, linked=linked)
        now = clock.now()
        found = store.read_now(
            lambda session: feedback.lately(session, now - timedelta(days=days), now, directory.principal)
        )
    rows = []
    for run, said in found:
        channel = charter_name(directory, run.where)
        told = (channel, run.request, said.reason) if channel else ("private", "", "")
        if not (bad and said.helpful):
            rows.append((run.ref, when(said.at), run.agent, "helped" if said.helpful else "did not help", *told))
    show(("run", "said", "agent", "opinion", "channel", "request", "reason"), rows, empty="Nobody has said anything.")
