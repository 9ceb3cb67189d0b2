"""Dialogs as Discord modals. Limits: title 45, five items, label 45, description 100, input 4,000, ten choices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord

from bot.discord import ids
from bot.engine.document.plain import one_line as line

if TYPE_CHECKING:
    from kernel.types import Form, FormField

ITEMS, INPUT, LABEL, HINT, NOTE, CHOICE = 5, 4_000, 45, 100, 1_000, 100


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
    hint = line(field.hint, HINT, "") or None
    component = _picks(field) if field.choices else _typed(field)
    return discord.ui.Label(text=line(field.label, LABEL), component=component, description=hint)


def _typed(field: FormField) -> discord.ui.TextInput[Any]:
    longest = max(1, min(field.max_length, INPUT))
    return discord.ui.TextInput(
        custom_id=field.id,
        style=discord.TextStyle.paragraph if field.multiline else discord.TextStyle.short,
        default=field.value[:longest] or None,
        required=field.required,
        max_length=longest,
    )


def _picks(field: FormField) -> discord.ui.CheckboxGroup[Any] | discord.ui.RadioGroup[Any]:
    """Check boxes, or radio buttons where only one may be picked of several: Discord wants two of those at least."""
    picked = set(field.value.splitlines())
    options: list[dict[str, Any]] = [
        {
            "label": line(choice.label, CHOICE),
            "value": choice.value,
            "description": line(choice.hint, CHOICE, "") or None,
            "default": choice.value in picked,
        }
        for choice in field.choices
    ]
    if field.many or len(options) == 1:
        return discord.ui.CheckboxGroup(
            custom_id=field.id,
            required=field.required,
            min_values=1 if field.required else 0,
            max_values=len(options),
            options=[discord.CheckboxGroupOption(**option) for option in options],
        )
    return discord.ui.RadioGroup(
        custom_id=field.id, required=field.required, options=[discord.RadioGroupOption(**option) for option in options]
    )
