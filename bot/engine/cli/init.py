"""`bosun init DIR`."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from kernel.config import ROOT
from kernel.errors import ConfigError

STARTER = ROOT / "charter"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
def command(folder: Path) -> None:
    """Write a charter to start with into DIR. Files that exist already are left as they are.

    The charter is the team's own: people and roles, agents, decision rights, workflows and documents, as files.
    """
    folder = folder.expanduser().absolute()
    written, kept = write(folder)
    click.echo(f"{len(written)} files written to {folder}" + (f", {len(kept)} kept as they were." if kept else "."))
    click.echo(f"Start with it: BOSUN_CHARTER={folder} bosun up")


def write(folder: Path) -> tuple[list[Path], list[Path]]:
    """Copy the starter charter; returns the files that were written and those that were there already."""
    if folder == STARTER or STARTER in folder.parents:
        raise ConfigError(f"{folder} is the charter that Bosun ships.", hint="Choose a folder of your own.")
    written: list[Path] = []
    kept: list[Path] = []
    for source in sorted(STARTER.rglob("*")):
        target = folder / source.relative_to(STARTER)
        if not source.is_file() or source.name.startswith("."):
            continue
        if target.exists():
            kept.append(target)
            continue
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        except OSError as error:
            raise ConfigError(
                f"{target} cannot be written: {error.strerror}.", hint="Choose another folder."
            ) from error
        written.append(target)
    return written, kept
