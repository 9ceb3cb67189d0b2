"""`bosun tools`."""

from __future__ import annotations

import click


@click.command()
@click.argument("agent", required=False, default="")
def command(agent: str) -> None:
    """List what each agent may use, with the effect and the rules that decide; or only the tools of AGENT.

    Tools of MCP servers are listed once they were accepted.
    """
    from contextlib import ExitStack

    from bot.engine.app import read_tools
    from bot.engine.cli.database import opened
    from bot.engine.cli.tables import show
    from kernel.config import read_settings
    from kernel.errors import NotFound

    settings = read_settings()
    with ExitStack() as stack:
        try:
            store = stack.enter_context(opened(settings))
        except NotFound:  # never started: nothing was accepted yet
            store = None
        tools = read_tools(settings, store)
        rows = [
            (one.name, name, effect, rights.replace("`", ""))
            for one in tools.agents(agent)
            for name, effect, rights in tools.of(one)
        ]
        show(("agent", "tool", "effect", "under which rule"), rows, empty="No agent has a tool.")
        for note in tools.notes():
            click.echo(note, err=True)
