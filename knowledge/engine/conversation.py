"""A conversation as a document: messages in order, which come, change and go one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from kernel import moments
from knowledge.engine.documents import Said

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

_MESSAGES = TypeAdapter(list[Said])
MOST = 2_000  # messages of one document; the oldest go first


def messages_of(text: str) -> list[Said]:
    """The messages in the text of a document of the format "chat"."""
    return _MESSAGES.validate_json(text) if text else []


def text_of(messages: Iterable[Said]) -> str:
    """The text of a document with these messages, oldest first."""
    ordered = sorted(messages, key=lambda said: (said.at, said.id))[-MOST:]
    return _MESSAGES.dump_json(ordered, exclude_defaults=True).decode()


def amended(text: str, changed: Iterable[Said], gone: Iterable[str] = ()) -> str:
    """The text after some messages were said or changed, and those in `gone` deleted; empty when none are left."""
    known = {said.id: said for said in messages_of(text)}
    for said in changed:
        before = known.get(said.id)
        # An older wording that comes later, from a page of history, replaces nothing.
        if said.text.strip() and (before is None or _version(said) >= _version(before)):
            known[said.id] = said
    for message in gone:
        known.pop(message, None)
    return text_of(known.values()) if known else ""


def _version(said: Said) -> datetime:
    return said.changed_at or said.at


def in_words(said: Said) -> str:
    """A message as it is searched and read: a date in the text helps both."""
    return f"{said.by} ({moments.day(said.at)}): {said.text.strip()}"
