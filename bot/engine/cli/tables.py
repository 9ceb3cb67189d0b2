"""Tables on the terminal; plain lines with tabs where the output goes into a pipe."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


def show(heads: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str) -> None:
    """Print the rows, or `empty` where there are none."""
    lines = [[" ".join(cell.split()) for cell in row] for row in rows]
    if not lines:
        click.echo(empty, err=not sys.stdout.isatty())
    elif not sys.stdout.isatty():
        for line in lines:
            click.echo("\t".join(line))
    else:
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(*heads, box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
        for line in lines:
            table.add_row(*(Text(cell, overflow="ellipsis") for cell in line))
        Console().print(table)


def when(at: datetime) -> str:
    """A time in the zone of this machine."""
    return f"{at.astimezone():%Y-%m-%d %H:%M}"
