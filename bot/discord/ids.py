"""The ids that buttons, dialogs and posts carry: whom a press is about, so that any process can take it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from bot.engine.carried import revision_of
from kernel.types import Frozen

if TYPE_CHECKING:
    from kernel.types import Action, Form

LONGEST = 100  # characters of a custom_id


class Carried(Frozen):
    """What a custom_id says."""

    kind: str  # "b" a button, "c" the second question of one, "m" a dialog
    subject: str
    revision: int
    verb: str
    form: bool = False  # it opens a dialog, which has to be the first answer
    confirm: bool = False  # it asks a second time before it counts
    message: str = ""  # the message of the button that was confirmed


def of_action(action: Action, index: int) -> str:
    """The id of a button; unique within its message."""
    flags = ("f" if action.opens_form else "") + ("c" if action.confirm is not None else "")
    return f"b:{action.subject}:{action.revision}:{action.verb}:{flags}:{index}"[:LONGEST]


def of_confirmation(asked: Carried, message: str) -> str:
    """The id of the button that says "yes, really"."""
    return f"c:{asked.subject}:{asked.revision}:{asked.verb}:{'f' if asked.form else ''}:{message}"[:LONGEST]


def of_form(form: Form) -> str:
    """The id of a dialog."""
    return f"m:{form.subject}:{form.revision}:{form.verb}::"[:LONGEST]


def read(custom_id: str) -> Carried | None:
    """What the id carries; None where it is not one of ours."""
    kind, _, rest = custom_id.partition(":")
    parts = rest.rsplit(":", 4)  # a subject may hold colons: "held:slack:C1"
    revision = revision_of(parts[1]) if len(parts) == 5 else None
    if revision is None or kind not in {"b", "c", "m"}:
        return None
    subject, _, verb, flags, last = parts
    return Carried(
        kind=kind,
        subject=subject,
        revision=revision,
        verb=verb,
        form="f" in flags,
        confirm="c" in flags,
        message=last if kind == "c" else "",
    )


def mark(row: str) -> int:
    """The number that the first component of a post carries, by which the row is recognised in the history."""
    return int.from_bytes(hashlib.blake2b(row.encode(), digest_size=4).digest()) >> 1 | 1 << 20


def nonce(row: str, part: str = "") -> str:
    """What makes a post of this row idempotent for some minutes; at most 25 characters."""
    return hashlib.blake2b(f"{row}/{part}".encode(), digest_size=12).hexdigest()[:24]
