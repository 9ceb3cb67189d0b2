"""`bosun doctor`: looks at everything that Bosun needs, and says what to do about what is missing."""

from __future__ import annotations

import asyncio
import os
import shutil
from typing import TYPE_CHECKING

import click

from bot.engine.doctor import Finding
from kernel.errors import BosunError, CharterError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bot.engine.charter import Charter
    from kernel.config import Settings

MARKS = {"ok": ("ok", "green"), "warn": ("note", "yellow"), "error": ("ERROR", "red")}
PATIENCE = 10.0  # seconds for the language model to say that it is there
LITTLE_SPACE = 1_000_000_000  # bytes


@click.command()
@click.pass_context
def command(ctx: click.Context) -> None:
    """Check settings, charter, data folder, database, models and platforms. Changes nothing.

    Exit code 1 if something is in the way.
    """
    from kernel.config import read_settings

    try:
        settings = read_settings()
    except ConfigError as error:
        _print(Finding(level="error", text=error.message, hint=error.hint))
        ctx.exit(1)
    worst = "ok"
    for check in CHECKS:
        for finding in _findings(check, settings):
            _print(finding)
            worst = "error" if finding.level == "error" else worst
    ctx.exit(1 if worst == "error" else 0)


def _findings(check: Callable[[Settings], Iterator[Finding]], settings: Settings) -> Iterator[Finding]:
    """What a check finds; a check that breaks is a finding too."""
    try:
        yield from check(settings)
    except CharterError as error:
        yield from (Finding(level="error", text=problem) for problem in error.problems)
    except BosunError as error:
        yield Finding(level="error", text=error.message, hint=error.hint)
    except Exception as error:
        name = check.__name__.strip("_").replace("_", " ")
        yield Finding(level="error", text=f"The check of the {name} broke: {type(error).__name__}: {error}")


def _print(finding: Finding) -> None:
    word, colour = MARKS[finding.level]
    click.echo(f"{click.style(f'{word:5}', fg=colour)} {finding.text}")
    if finding.hint and finding.level != "ok":
        click.echo(f"      {finding.hint}")


def _charter(settings: Settings) -> Iterator[Finding]:
    from bot.engine.app import read_charter

    charter = read_charter(settings)
    text = (
        f"Charter of {charter.team.name} in {settings.charter}: {len(charter.people)} people, "
        f"{len(charter.roster.agents)} agents, {len(charter.rules)} rule files, {len(charter.workflows)} workflows."
    )
    yield Finding(level="ok", text=text)
    if charter.demo:
        hint = "Anybody at this machine can be anybody. List your own people and remove 'demo: true' from people.yaml."
        yield Finding(level="warn", text="The people are the invented ones of the starter charter.", hint=hint)
    for name, role in charter.roles.items():
        if not role.members and not role.groups:
            hint = f"Give somebody the role {name} in people.yaml."
            yield Finding(
                level="warn", text=f"Nobody holds the role {name}: what asks for it waits in vain.", hint=hint
            )
    if charter.tools.code.enabled:
        yield _code(settings, charter)


def _code(settings: Settings, charter: Charter) -> Finding:
    """Whether the Python of agents can be locked up on this machine: it is tried."""
    from bot.engine.app import try_code

    problem = asyncio.run(try_code(settings, charter))
    if not problem:
        return Finding(level="ok", text="Agents may run Python; its process locked itself up when it was tried.")
    hint = "It needs Linux 5.13 or newer with Landlock and seccomp. Without them run_python refuses every call."
    return Finding(level="error", text=f"tools.yaml lets agents run code, and this fails. {problem}", hint=hint)


def _data_folder(settings: Settings) -> Iterator[Finding]:
    folder = next(path for path in (settings.data, *settings.data.parents) if path.exists())
    if not os.access(folder, os.W_OK | os.X_OK):
        hint = "Change its owner, or set BOSUN_DATA to a folder that can be written."
        yield Finding(level="error", text=f"The data folder {settings.data} cannot be written.", hint=hint)
        return
    free = shutil.disk_usage(folder).free
    if free < LITTLE_SPACE:
        hint = "Make room: without it nothing can be stored, and what is not stored is not acknowledged."
        yield Finding(level="warn", text=f"Only {free / 1e6:.0f} MB are free for {settings.data}.", hint=hint)
    else:
        yield Finding(level="ok", text=f"Data folder {settings.data}, {free / 1e9:.0f} GB free.")


def _database(settings: Settings) -> Iterator[Finding]:
    from bot.engine.cli.database import opened
    from kernel import ledger
    from kernel.checkpoints import Checkpoint
    from kernel.errors import NotFound
    from kernel.store import checkpoints

    kind = "Postgres" if settings.database_url else "SQLite in the data folder (the default)"
    try:
        with opened(settings) as store:
            kept = [Checkpoint(**row.model_dump()) for row in store.read_now(checkpoints.kept)]
            found = store.read_now(lambda session: ledger.verify(session, kept))
    except NotFound:
        yield Finding(level="ok", text=f"Database: {kind}, not made yet.")
        return
    yield Finding(level="ok", text=f"Database: {kind}.")
    if found.ok:
        yield Finding(level="ok", text=f"Ledger: {found.entries} entries, each as it was written.")
    else:
        hint = "Find out who changed the database. Restore a backup if it was not you."
        yield Finding(level="error", text=f"The ledger is not as it was written: {found.problem}.", hint=hint)


def _model(settings: Settings) -> Iterator[Finding]:
    if settings.anthropic_api_key is None:
        hint = "Set ANTHROPIC_API_KEY, and ANTHROPIC_BASE_URL for another service that speaks the same language."
        yield Finding(level="warn", text="No language model: answers quote documents (the default).", hint=hint)
        return
    from agents.engine.anthropic_model import AnthropicModel
    from kernel.errors import ModelError

    async def reach(key: str) -> None:
        model = AnthropicModel(api_key=key, base_url=settings.anthropic_base_url, timeout=PATIENCE)
        try:
            await model.reach()
        finally:
            await model.close()

    try:
        asyncio.run(reach(settings.anthropic_api_key.reveal()))
    except ModelError as error:
        yield Finding(level="error", text=error.message, hint="Check ANTHROPIC_API_KEY and ANTHROPIC_BASE_URL.")
    else:
        yield Finding(level="ok", text=f"Language model: {settings.anthropic_base_url or 'Anthropic'}, with a key.")


def _knowledge(settings: Settings) -> Iterator[Finding]:
    from knowledge.engine.embedding import EmbeddingChoice, load_embedder

    embedder = load_embedder(EmbeddingChoice(), {})
    embedder.embed(["Does it work?"])
    yield Finding(level="ok", text=f"Embedding model: {embedder.name}, from the installed packages.")
    where = settings.chroma_url or "in the data folder (the default)"
    if settings.chroma_url:
        from knowledge.engine.chroma import reach

        reach(settings.chroma_url)
    yield Finding(level="ok", text=f"Vectors: Chroma {where}.")


def _web(settings: Settings) -> Iterator[Finding]:
    import ipaddress

    try:
        local = ipaddress.ip_address(settings.web.host).is_loopback
    except ValueError:
        local = settings.web.host == "localhost"
    if local and (settings.uses_slack or settings.uses_discord) and not settings.web_origins:
        text = f"Web chat: http://{settings.web}. What messages link to there opens on this machine alone."
        hint = "Put a proxy in front of it, and set BOSUN_WEB_ORIGINS to its address: links lead there then."
        yield Finding(level="warn", text=text, hint=hint)
    elif local:
        yield Finding(level="ok", text=f"Web chat: http://{settings.web}, for this machine only.")
    else:
        hint = "Put it behind something that encrypts and knows who is allowed in."
        yield Finding(level="warn", text=f"The web chat listens on {settings.web}, beyond this machine.", hint=hint)


def _slack(settings: Settings) -> Iterator[Finding]:
    from bot.slack.doctor import check

    yield from asyncio.run(check(settings))


def _discord(settings: Settings) -> Iterator[Finding]:
    if not settings.uses_discord:
        yield Finding(level="ok", text="Discord is not configured.", hint="docs/discord.md says how to connect it.")
        return
    from bot.discord.doctor import check
    from bot.engine.app import read_charter

    team = read_charter(settings).team
    channels = {name: channel.discord for name, channel in team.channels.items() if channel.discord}
    yield from asyncio.run(check(settings, team.workspaces.get("discord", ""), channels))


CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    _data_folder,
    _database,
    _charter,
    _model,
    _knowledge,
    _web,
    _slack,
    _discord,
)
