"""`bosun approvals`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from kernel.store.approvals import ApprovalState


@click.command()
def command() -> None:
    """List what waits for a decision, oldest first.

    Decide in the chat: with the buttons of the card, or with `approve AP-7F3K` and `reject AP-7F3K because ...`.
    """
    from bot.engine.cli.database import opened
    from bot.engine.cli.tables import show, when
    from kernel.config import read_settings
    from kernel.store import approvals

    with opened(read_settings()) as store:
        found = store.read_now(approvals.pending)
    rows = [
        (row.ref, _headline(row), _who(row), row.requester, when(row.expires_at) if row.expires_at else "never")
        for row in found
    ]
    show(("approval", "what", "who decides", "asked by", "expires"), rows, empty="Nothing waits for a decision.")


def _headline(row: ApprovalState) -> str:
    return str((row.preview or {}).get("headline") or row.tool)


def _who(row: ApprovalState) -> str:
    groups = (row.policy or {}).get("groups", [])
    return " and ".join(f"{group.get('need', 1)} of {' or '.join(group['who'])}" for group in groups)
