"""Other ways to a request than a mention: "Ask about this" on a message, what is suggested to say, and `ask`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.engine.document.parse import parse
from bot.engine.document.plain import literal, one_line, summary
from bot.engine.suggestions import MOST, offered
from kernel.types import Action, Form, FormField, Quoted, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.engine.adapter import Adapter
    from bot.engine.suggestions import Suggestion, Suggestions
    from kernel.types import Actor, Inbound, Person, Press

PREFIX = "ASK-"  # of the subject; the platform's id of the message follows, or `PROMPT` and a number
PROMPT = "prompt-"
ABOUT, SUGGESTED, ASK = "about", "suggested", "ask"  # verbs: open the dialog, open it filled in, take what was typed
TITLE = "Ask about this"  # as people see it in the menu of a message
QUESTION = "question"  # the field
QUOTED = 200  # characters of the message that is asked about
UNREADABLE = "I can't read that message, so I can't say anything about it. In a channel, invite me first."
COMMAND = "ask"  # the slash command that everybody sees the words of
DOES = "ask something; the answer comes in a thread"  # what menus say of it
BY_COMMAND = re.compile(r"\s*ask\s+(?:agent:(?P<agent>[\w-]+)\s+)?(?P<question>\S.*)", re.IGNORECASE | re.DOTALL)
FEW = 3  # suggestions below a few words
NOTHING_SAID = (
    "I'm here. Write behind my name what you want to know or have done; `finance: ...` asks one agent, and `help` "
    "lists what else I understand. For example:"
)
OLD = "This button is out of date. Mention me with what you want to know."


def about(message: str) -> str:
    """The subject of the press that asks about a message."""
    return f"{PREFIX}{message}"


def by_command(text: str) -> str:
    """What `ask QUESTION` or `ask agent:NAME QUESTION` asks, as in a mention; empty where the command is another."""
    match = BY_COMMAND.fullmatch(text)
    if match is None:
        return ""
    question = match["question"].strip()
    return f"{match['agent'].lower()}: {question}" if match["agent"] else question


def prompts(own: Sequence[Suggestion], most: int = MOST) -> tuple[Action, ...]:
    """Buttons for what is suggested."""
    return tuple(
        Action(subject=f"{PREFIX}{PROMPT}{number}", verb=SUGGESTED, label=one_line(one.title, 34), opens_form=True)
        for number, one in enumerate(offered(own)[:most])
    )


def what_to_say(own: Sequence[Suggestion]) -> Text:
    """The answer to a mention in which nothing is said."""
    return Text(markdown=NOTHING_SAID, actions=prompts(own, FEW))


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


async def request(inbound: Inbound, text: str, adapter: Adapter) -> Inbound:
    """What was typed, as a mention: of the message that it asks about, with that message's files.

    BosunError where that message cannot be read.
    """
    update: dict[str, object] = {"kind": "mention", "text": text, "press": None}
    subject = inbound.press.subject.removeprefix(PREFIX) if inbound.press is not None else PROMPT
    if not subject.startswith(PROMPT):
        heard = await adapter.read(inbound.place, subject)
        about = Quoted.model_validate(heard.model_dump(include=set(Quoted.model_fields)))
        update |= {"message": subject, "about": about, "files": heard.files}
    return inbound.model_copy(update=update)


def asks(name: str, what: str, agent: str = "") -> str:
    """What everybody reads of a request that no message of the person's shows."""
    return f"**{name}** asks{f' {agent}' if agent else ''}: {what}"


def shown(asked: Inbound, person: Person, author: Person, link: str) -> str:
    """What everybody reads of a request, as none of the person's messages shows it. `link`: to what it asks about."""
    about = asked.about
    if about is None:
        return asks(person.name, asked.text)
    whose = "mine" if about.mine else literal(author.name)
    said = summary(parse(about.text), QUOTED) or ", ".join(file.name for file in asked.files)
    message = f"[this message]({link})" if link else "this message"
    return f"**{person.name}** asks about {message} of {whose}:\n> {literal(said) or '(no text)'}\n\n{asked.text}"


def _form(subject: str, title: str, value: str, label: str) -> Form:
    field = FormField(id=QUESTION, label=one_line(label, 45), value=value, multiline=True, max_length=2000)
    return Form(subject=subject, verb=ASK, title=title, fields=(field,), submit="Ask")
