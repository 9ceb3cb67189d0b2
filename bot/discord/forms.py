"""Dialogs as Discord modals. Limits: title 45, five items, label 45, description 100, input 4,000."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord

from bot.discord import ids
from bot.engine.document.plain import one_line as line

if TYPE_CHECKING:
    from kernel.types import Form, FormField

ITEMS, INPUT, LABEL, HINT, NOTE = 5, 4_000, 45, 100, 1_000


def modal(form: Form) -> discord.ui.Modal:
    """The dialog; its id carries what its answer needs, so that any process can take the answer."""
    made = discord.ui.Modal(title=line(form.title, 45), custom_id=ids.of_form(form), timeout=None)
    if form.note.strip() and len(form.fields) < ITEMS:
        made.add_item(discord.ui.TextDisplay(form.note.strip()[:NOTE]))
    for field in form.fields[:ITEMS]:
        made.add_item(_labelled(field))
    made.stop()  # only a form of JSON here: its answer comes to the router
    return made


def _labelled(field: FormField) -> discord.ui.Label[Any]:
    longest = max(1, min(field.max_length, INPUT))
    typed: discord.ui.TextInput[Any] = discord.ui.TextInput(
        custom_id=field.id,
        style=discord.TextStyle.paragraph if field.multiline else discord.TextStyle.short,
        default=field.value[:longest] or None,
        required=field.required,
        max_length=longest,
    )
    hint = line(field.hint, HINT, "") or None
    return discord.ui.Label(text=line(field.label, LABEL), component=typed, description=hint)
