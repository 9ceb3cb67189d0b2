"""Dialogs as Slack modals. Limits: title, submit and close 24, private_metadata 3,000, one input at most 3,000."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.engine.document import plain
from bot.slack import blocks, neutral
from bot.slack.presses import form_metadata

if TYPE_CHECKING:
    from kernel.types import Choice, Form, FormField, Place

INPUT = 3_000


def view(form: Form, place: Place | None, message: str | None) -> dict[str, Any]:
    """The modal; it carries what its answer needs, so that any process can take the answer."""
    note = [blocks.section(neutral.mrkdwn(form.note))] if form.note.strip() else []
    return {
        "type": "modal",
        "callback_id": "bosun",
        "title": _plain(form.title, 24),
        "submit": _plain(form.submit, 24),
        "close": _plain("Cancel", 24),
        "private_metadata": form_metadata(form, place, message),
        "blocks": note + [_input(field) for field in form.fields],
    }


def _input(field: FormField) -> dict[str, Any]:
    element = _picks(field) if field.choices else _typed(field)
    block = {
        "type": "input",
        "block_id": field.id,
        "label": _plain(field.label, 2000),
        "element": element,
        "optional": not field.required,
    }
    if field.hint:
        block["hint"] = _plain(field.hint, 2000)
    return block


def _typed(field: FormField) -> dict[str, Any]:
    element: dict[str, Any] = {
        "type": "plain_text_input",
        "action_id": field.id,
        "multiline": field.multiline,
        "max_length": max(1, min(field.max_length, INPUT)),
    }
    if field.value:
        element["initial_value"] = field.value[: element["max_length"]]
    return element


def _picks(field: FormField) -> dict[str, Any]:
    """Check boxes, or radio buttons where only one may be picked."""
    options = {choice.value: _option(choice) for choice in field.choices}
    picked = [options[value] for value in field.value.splitlines() if value in options]
    kind = "checkboxes" if field.many else "radio_buttons"
    element: dict[str, Any] = {"type": kind, "action_id": field.id, "options": list(options.values())}
    if picked:
        element |= {"initial_options": picked} if field.many else {"initial_option": picked[0]}
    return element


def _option(choice: Choice) -> dict[str, Any]:
    option = {"text": _plain(choice.label, 75), "value": choice.value}
    return {**option, "description": _plain(choice.hint, 75)} if choice.hint else option


def _plain(text: str, limit: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": plain.one_line(text, limit)}
