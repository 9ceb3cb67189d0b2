"""The command line: which commands there are, and how errors are shown. Each command is a module, loaded when used."""

from __future__ import annotations

import importlib
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import click

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("bot", "agents", "workflows", "knowledge", "tools", "rules", "kernel")
# Name -> one line for `bosun --help`. The command itself is in the module of that name, as `command`.
COMMANDS = {
    "up": "Start Bosun: the web chat, and Slack and Discord where their tokens are set.",
    "login": "Print a link that signs somebody in to the web chat.",
    "init": "Write a charter to start with.",
    "doctor": "Check settings, charter, data, models and platforms.",
    "ingest": "Read the charter's sources into the knowledge base.",
    "knowledge": "Look at the knowledge base, search it, rebuild it, forget what is in it.",
    "run": "Run a workflow now.",
    "workflows": "See, pause, resume, rehearse, correct and delete workflows.",
    "runs": "List what was asked and what became of it.",
    "feedback": "List which answers helped, and what was wrong with the others.",
    "approvals": "List what waits for a decision.",
    "receipt": "Show what was asked, decided and done, line by line with the ledger.",
    "freeze": "Have everything, an agent, a tool or a channel stand still.",
    "thaw": "Let what is frozen go on.",
    "tools": "List what each agent may use, and under which rule.",
    "tool": "Use a tool as a person would ask for it, through the decision rights.",
    "rules": "Check and test the decision rights.",
    "autonomy": "Say which rules ask every time, and which no longer.",
    "ledger": "Check the record of what was decided and done.",
}
EPILOG = "Settings come from the environment: README.md lists them. Start with `bosun up`."


class Commands(click.Group):
    """Loads a command when it is used, so that help is shown at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"bot.engine.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            meant = f" Did you mean '{near[0]}'?" if near else ""
            ctx.fail(f"There is no command '{args[0]}'.{meant}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run the command line. Exit codes: 0 done, 1 it failed, 2 it was used or set up wrongly, 130 interrupted."""
        try:
            _refuse_strangers()
            code = super().main(*args, **{"prog_name": "bosun", **extra, "standalone_mode": False})
            sys.exit(code if isinstance(code, int) else 0)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except (click.Abort, KeyboardInterrupt):
            sys.exit(130)
        except BrokenPipeError:  # the reader of a pipe has gone: `bosun runs | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except Exception as error:
            sys.exit(_explain(error))


def _version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        import tomllib

        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
        click.echo(f"bosun {project['version']}")
        ctx.exit()


@click.group("bosun", cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
def main() -> None:
    """Bosun: an AI operating system for a team, lived in from Slack, Discord and a local web chat.

    Agents answer and act; anything risky waits for a person to approve.
    """


def _explain(error: Exception) -> int:
    """Say what happened without a traceback; returns the exit code."""
    from kernel.errors import BosunError

    if isinstance(error, BosunError):
        click.echo(f"{click.style('Error:', fg='red', bold=True)} {error.message}", err=True)
        if error.hint:
            click.echo(error.hint, err=True)
        return 2
    from bot.engine.cli.crash import record

    click.echo(f"Something went wrong inside Bosun: {type(error).__name__}. Details are in {record(error)}", err=True)
    return 1


def _refuse_strangers() -> None:
    """Our rooms have common names: another installed package of the same name would be run instead of ours."""
    for room in ROOMS:
        spec = find_spec(room)
        origin = Path(spec.origin).resolve() if spec and spec.origin else None
        if origin is None or ROOT not in origin.parents:
            raise click.ClickException(
                f"Another package named '{room}' is installed ({origin}). "
                "Bosun runs from a virtual environment of its own: `make` builds one."
            )
