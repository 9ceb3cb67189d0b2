"""`bosun up`."""

from __future__ import annotations

import click


@click.command()
def command() -> None:
    """Start Bosun and run until Ctrl-C: the web chat, and Slack and Discord where their tokens are set.

    Prints a link that opens the web chat. What is in hand when it stops is continued at the next start.
    """
    from bot.engine.cli.logs import configure
    from bot.engine.serving import run
    from kernel.config import read_settings

    settings = read_settings()
    configure(settings.log)
    run(settings)
