"""`bosun workflows`: what people can do to workflows in the chat, from the machine itself."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.engine.workflow_commands import WorkflowCommands
    from kernel.types import Person

    Does = Callable[[WorkflowCommands, Person], Awaitable[str]]


@click.group(invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """See, pause, resume, rehearse, correct and delete workflows. Without a command: list them.

    `bosun run NAME` runs one now.
    """
    if ctx.invoked_subcommand is None:
        _say(lambda commands, _: commands.overview.listed())


@command.command()
@click.argument("name")
def show(name: str) -> None:
    """Show NAME in plain words, with its next five times."""
    _say(lambda commands, _: commands.overview.shown(name))


@command.command()
@click.argument("name")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path), required=False)
def picture(name: str, file: Path | None) -> None:
    """Draw NAME with its steps, whom they ask, and its last runs, into FILE (NAME.png)."""
    path = file or Path(f"{name}.png")

    async def draw(commands: WorkflowCommands, _person: Person) -> str:
        content, alt = await commands.drawn(commands.launch.get(name))
        path.write_bytes(content)
        return f"{path}: {alt}"

    _say(draw)


@command.command()
@click.argument("name")
def history(name: str) -> None:
    """Show what became of NAME's latest firings."""
    _say(lambda commands, _: commands.overview.history(name))


@command.command("dry-run")
@click.argument("name")
@click.argument("inputs", nargs=-1, metavar="[INPUT=VALUE]...")
def dry_run(name: str, inputs: tuple[str, ...]) -> None:
    """Show what NAME would do now under the rules, with nothing done."""
    _say(lambda commands, person: commands.rehearse(name, " ".join(inputs), person, None))


@command.command()
@click.argument("name")
def pause(name: str) -> None:
    """Let NAME begin by itself no more."""
    _say(lambda commands, person: commands.control.pause(name, person))


@command.command()
@click.argument("name")
def resume(name: str) -> None:
    """Let NAME begin by itself again."""
    _say(lambda commands, person: commands.control.resume(name, person))


@command.command()
@click.argument("name")
@click.confirmation_option(prompt="Take it out of the charter?")
def delete(name: str) -> None:
    """Move NAME's file to workflows/deleted in the charter."""
    _say(lambda commands, person: commands.control.delete(name, person))


@command.command()
@click.argument("run")
@click.argument("text", nargs=-1, required=True)
def correct(run: str, text: tuple[str, ...]) -> None:
    """Tell the workflow of RUN (R-7F3K) what was wrong, for its next runs."""
    _say(lambda commands, person: commands.control.correct(run, " ".join(text), person))


@command.command()
@click.argument("name")
def corrections(name: str) -> None:
    """List what NAME was told."""
    _say(lambda commands, _: commands.overview.corrections(name))


@command.command()
@click.argument("name")
@click.argument("number", type=int)
def uncorrect(name: str, number: int) -> None:
    """Let NAME forget the correction with this NUMBER."""
    _say(lambda commands, person: commands.control.withdraw(name, number, person))


def _say(does: Does) -> None:
    """Do it on the data of this installation, whether Bosun is running or not, and print what came of it."""
    import getpass

    from bot.engine.app import App
    from bot.engine.cli.database import opened
    from bot.engine.cli.logs import configure
    from kernel.config import read_settings
    from kernel.types import Person
    from workflows.engine.control import OPERATOR

    settings = read_settings()
    configure("warning")
    with opened(settings):  # there is something, and it is of this version
        app = App(settings, beside=True)
    try:
        user = getpass.getuser()
        person = Person(id=f"{OPERATOR}{user}", name=user, listed=False)
        _show(asyncio.run(_done(does(app.workflows.commands, person))))
    finally:
        app.store.close()


async def _done(does: Awaitable[str]) -> str:
    return await does


def _show(text: str) -> None:
    """Markdown on a terminal, as it is in a pipe."""
    import sys

    if sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(text))
    else:
        click.echo(text)
