"""Dialogs that end in a request: "Ask about this" on a message, and what is suggested to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine.document.plain import one_line
from bot.engine.suggestions import offered
from kernel.types import Action, Form, FormField

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.engine.suggestions import Suggestion, Suggestions
    from kernel.types import Actor, Inbound, Person, Press

PREFIX = "ASK-"  # of the subject; the platform's id of the message follows, or `PROMPT` and a number
PROMPT = "prompt-"
ABOUT, SUGGESTED, ASK = "about", "suggested", "ask"  # verbs: open the dialog, open it filled in, take what was typed
TITLE = "Ask about this"  # as people see it in the menu of a message
QUESTION = "question"  # the field
OLD = "This button is out of date. Mention me with what you want to know."


def about(message: str) -> str:
    """The subject of the press that asks about a message."""
    return f"{PREFIX}{message}"


def prompts(own: Sequence[Suggestion]) -> tuple[Action, ...]:
    """Buttons for what is suggested."""
    return tuple(
        Action(subject=f"{PREFIX}{PROMPT}{number}", verb=SUGGESTED, label=one_line(one.title, 34), opens_form=True)
        for number, one in enumerate(offered(own))
    )


class Asking:
    """Opens the dialogs: `presses.Opener`."""

    def __init__(self, suggestions: Suggestions) -> None:
        self.suggestions = suggestions

    async def answer(self, press: Press, person: Person, actor: Actor) -> Form | str:
        """The dialog."""
        if press.verb == ABOUT:
            return _form(press.subject, TITLE, "", "What do you want to know about this message?")
        suggested, number = offered(self.suggestions()), press.subject.removeprefix(PREFIX + PROMPT)
        if press.verb != SUGGESTED or not number.isdecimal() or int(number) >= len(suggested):
            return OLD
        one = suggested[int(number)]
        return _form(press.subject, "Ask Bosun", one.message, one.title)


def question(inbound: Inbound) -> str:
    """What was typed into one of these dialogs; empty for every other press."""
    press = inbound.press
    if press is None or not press.subject.startswith(PREFIX) or press.verb != ASK:
        return ""
    return press.fields.get(QUESTION, "").strip()


def asked_about(inbound: Inbound) -> str | None:
    """The message that the question is about; None where it is about none."""
    subject = inbound.press.subject.removeprefix(PREFIX) if inbound.press is not None else ""
    return None if subject.startswith(PROMPT) else subject


def _form(subject: str, title: str, value: str, label: str) -> Form:
    field = FormField(id=QUESTION, label=one_line(label, 45), value=value, multiline=True, max_length=2000)
    return Form(subject=subject, verb=ASK, title=title, fields=(field,), submit="Ask")
