"""What Bosun says, as Discord messages: prose in ordinary messages, cards in components, long things as files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import discord

from bot.discord import dashboard, ids, prose
from bot.engine import feedback
from bot.engine.document import plain
from bot.engine.document.addresses import web_url
from bot.engine.document.files import Attachment, attachment
from bot.engine.document.markdown import JOINER
from kernel.types import Action, Card, Dashboard, Progress, Source, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.discord.ids import Carried
    from kernel.types import Body, Payload, Step

AGENT = 120  # characters kept free for the name of who says it
URL = 512  # of a button; a longer address is not linked
FACTS, FEWEST_FACTS = 1_400, 300  # characters of a card's labelled lines, and how many there is room for at least
CARD = 3_600  # characters of a card, of the 4,000 that Discord takes
PREVIEW = 1_200  # characters of a payload that a card shows
PAYLOADS, SOURCES, STEPS, ROW, BUTTONS = 10, 8, 12, 5, 25
NOTE, WORTH = 160, 60  # characters around a payload, and fewest of it that are worth showing
WORDS = {
    "pending": "not started",
    "running": "running",
    "done": "done",
    "failed": "failed",
    "waiting": "waiting for you",
}
SUFFIX = {"json": "json", "diff": "diff", "text": "txt"}
COLOURS = {"neutral": 0x6B7280, "waiting": 0xD97706, "good": 0x15803D, "bad": 0xB91C1C, "warn": 0xB45309}
THUMBS = ("\N{THUMBS UP SIGN}", "\N{THUMBS DOWN SIGN}")
STYLES = {
    "primary": discord.ButtonStyle.success,
    "danger": discord.ButtonStyle.danger,
    "plain": discord.ButtonStyle.secondary,
}


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What people see: one message that is edited, and what follows it once."""

    content: str = ""  # of an ordinary message; empty for a card
    more: tuple[str, ...] = ()  # further messages
    below: discord.ui.View | None = None  # the buttons below the last of them
    attachments: tuple[Attachment, ...] = ()
    view: discord.ui.View | discord.ui.LayoutView | None = None

    def first(self) -> dict[str, Any]:
        """Arguments of a post."""
        made: dict[str, Any] = {}
        if self.content:
            made["content"] = self.content
            made["suppress_embeds"] = True
        if self.view is not None:
            made["view"] = self.view
        return made

    def change(self) -> dict[str, Any]:
        """Arguments of an edit, which takes away what is no longer there."""
        if isinstance(self.view, discord.ui.LayoutView):
            return {"view": self.view}
        return {"content": self.content, "view": self.view}

    def marked(self, number: int) -> Shown:
        """The same with a number on its first component; plain text cannot carry one."""
        if self.view is not None and self.view.children:
            self.view.children[0].id = number
        return self


def render(body: Body, console_url: str = "") -> Shown:
    """The body as Discord shows it. Whatever stands in it, nobody is pinged and the limits hold."""
    if isinstance(body, Card):
        return _card(body)
    if isinstance(body, Progress):
        return _progress(body)
    if isinstance(body, Dashboard):
        return Shown(view=dashboard.view(body, console_url))
    return _text(body, console_url)


def sentence(text: str) -> Shown:
    """A short sentence of our own."""
    return Shown(content=text[: prose.CONTENT])


def words(markdown: str) -> str:
    """A short text beside a file."""
    return prose.beginning(markdown, prose.CONTENT)


# -- prose ----------------------------------------------------------------------------------------


def _text(body: Text, console_url: str) -> Shown:
    pieces, attached = prose.shown(body.markdown, prose.CONTENT - AGENT)
    pieces = pieces or ["(empty message)"]
    if agent := prose.line(body.agent or "", 80)[: AGENT - 5]:
        pieces[0] = f"**{agent}**\n{pieces[0]}"
    tail = _tail(body, console_url)
    if tail and len(pieces[-1]) + len(tail) + 1 <= prose.CONTENT:
        pieces[-1] = f"{pieces[-1]}\n{tail}"
    elif tail:
        pieces.append(tail)
    first, *more = [prose.timed(piece) for piece in pieces]
    asked = _thumbs(body.feedback) if body.feedback else []
    return Shown(
        content=first,
        more=tuple(more),
        attachments=tuple(attached),
        view=_row(body.actions, [] if more else asked),
        below=_row((), asked) if more else None,
    )


def _tail(body: Text, console_url: str) -> str:
    lines = [_source(source, console_url) for source in body.sources[:SOURCES]]
    lines += [f"-# {footer}"] if (footer := prose.line(body.footer, 300)) else []
    return _within(lines, prose.CONTENT)


def _source(source: Source, console_url: str) -> str:
    url = web_url(f"{console_url}{source.url}" if source.url.startswith("/") and console_url else source.url)
    title = plain.one_line(source.title, 120, "untitled")
    shown = prose.link(title, url) if 0 < len(url) <= URL else prose.line(title, 120)
    quote = prose.line(source.quote, 100)
    return f"-# {source.number}. {shown}" + (f" — {quote}" if quote else "")


def _within(lines: list[str], limit: int) -> str:
    """As many whole lines as fit; that some are missing is said."""
    made = ""
    for line in lines:
        longer = f"{made}\n{line}" if made else line
        if len(longer) > limit - 2:
            return f"{made}\n…" if made else f"{line[: limit - 1]}…"
        made = longer
    return made


# -- progress -------------------------------------------------------------------------------------


def _progress(body: Progress) -> Shown:
    agent = prose.line(body.agent or "", 80)
    title = prose.line(body.title, 80, "Working")
    lines = [f"**{title}**" + (f" · {agent}" if agent else "")]
    if len(body.steps) > STEPS:
        lines.append(f"- {len(body.steps) - STEPS} earlier steps")
    lines += [_step(step) for step in body.steps[-STEPS:]]
    head = _within(lines, prose.CONTENT)
    room = prose.CONTENT - len(head) - 2
    partial = prose.beginning(body.partial, room) if room > 200 else ""
    content = f"{head}\n\n{partial}" if partial else head
    stop = Action(subject=body.run, verb="stop", label="Stop")
    return Shown(content=content, view=_row((stop,) if body.stoppable and body.run else ()))


def _step(step: Step) -> str:
    shown = f"- {prose.line(step.title, 80, '-')} — {WORDS[step.status]}"
    detail = prose.line(step.detail, 120)
    return f"{shown}: {detail}" if detail else shown


# -- cards ----------------------------------------------------------------------------------------


def _card(body: Card) -> Shown:
    state = prose.timed(prose.lines(plain.clip(body.state, 400)))
    if body.expires_at is not None:
        state += f"\nUntil <t:{int(body.expires_at.timestamp())}:f> (<t:{int(body.expires_at.timestamp())}:R>)"
    texts = [f"### {prose.line(body.headline, 150, '-')}", state or "-"]
    if body.warning:
        texts.append(f"**Warning:** {prose.line(body.warning, 300)}")
    facts = [f"**{prose.line(fact.label, 60)}:** {prose.line(fact.value, 250, '-')}" for fact in body.facts]
    footer = f"-# {prose.timed(prose.line(body.footer, 300))}" if body.footer.strip() else ""
    payloads = body.payloads[:PAYLOADS]
    room = CARD - sum(map(len, texts)) - len(footer)
    named = sum(len(_named(payload, _file(payload))) for payload in payloads)
    texts += [_within(facts, min(FACTS, max(FEWEST_FACTS, room - named)))] if facts else []
    room = CARD - sum(map(len, texts)) - len(footer)
    shown, attachments = _payloads(payloads, room)
    room -= sum(map(len, shown))
    if room > 200 and (text := prose.beginning(body.text, min(room, 1_000))):
        texts.append(text)
    view = discord.ui.LayoutView(timeout=None)
    box: discord.ui.Container[Any] = discord.ui.Container(accent_colour=COLOURS[body.tone])
    for text in (*texts, *shown):
        box.add_item(discord.ui.TextDisplay(text))
    for row in _rows(body.actions):
        box.add_item(row)
    if footer:
        box.add_item(discord.ui.TextDisplay(footer))
    view.add_item(box)
    view.stop()  # only a form of JSON here: presses come to the router
    return Shown(view=view, attachments=attachments)


def _payloads(payloads: tuple[Payload, ...], room: int) -> tuple[list[str], tuple[Attachment, ...]]:
    """The literal contents; what does not fit into its share is cut, said to be cut, and attached in full."""
    files = [_file(payload) for payload in payloads]
    if sum(len(_named(payload, file)) for payload, file in zip(payloads, files, strict=True)) > room:
        return [f"-# In full in this thread: {', '.join(file.name for file in files)}"], tuple(files)
    made: list[str] = []
    attached: list[Attachment] = []
    for number, (payload, file) in enumerate(zip(payloads, files, strict=True)):
        title = _title(payload)
        longest = max(0, min(PREVIEW, room // (len(payloads) - number) - len(title) - NOTE))
        literal = payload.content.replace("```", f"``{JOINER}`")  # it cannot close its block
        language = payload.language if payload.language != "text" else ""
        if len(literal) <= longest:
            made.append(f"{title}\n```{language}\n{literal}\n```")
        elif longest < WORTH:
            attached.append(file)
            made.append(_named(payload, file))
        else:
            attached.append(file)
            note = (
                f"-# The first {longest:,} of {len(payload.content):,} characters; "
                f"in full in {file.name} in this thread."
            )
            made.append(f"{title}\n```{language}\n{literal[:longest]}\n```\n{note}")
        room -= len(made[-1])
    return made, tuple(attached)


def _title(payload: Payload) -> str:
    digest = f" · SHA-256 {payload.digest[:12]}" if payload.digest else ""
    return f"**{prose.line(payload.title, 120, 'Content')}**{digest}"


def _named(payload: Payload, file: Attachment) -> str:
    """A payload of which nothing is shown but what it is and where it is found."""
    return f"{_title(payload)}\n-# In full in {file.name} in this thread."


def _file(payload: Payload) -> Attachment:
    return attachment("payload", payload.content, SUFFIX[payload.language], payload.title, digest=payload.digest)


# -- buttons --------------------------------------------------------------------------------------


def second_question(asked: Carried, message: discord.Message | None) -> Shown:
    """Asks whether a risky button was meant."""
    about = next((line for line in _lines(message.components) if line), "") if message is not None else ""
    view = discord.ui.View(timeout=None)
    label = f"Yes, {asked.verb.replace('_', ' ')}"[:80]
    of = str(message.id) if message is not None else ""
    view.add_item(
        discord.ui.Button(label=label, style=discord.ButtonStyle.danger, custom_id=ids.of_confirmation(asked, of))
    )
    view.stop()
    question = (
        f"Are you sure? {about.removeprefix('### ')[:200]}\nNothing has happened yet; leave this alone to do nothing."
    )
    return Shown(content=question, view=view)


def _lines(components: Any) -> list[str]:
    found: list[str] = []
    for component in components:
        if isinstance(component, discord.TextDisplay):
            found += component.content.split("\n")
        found += _lines(getattr(component, "children", ()))
    return found


def _row(actions: tuple[Action, ...], last: Sequence[discord.ui.Button[Any]] = ()) -> discord.ui.View | None:
    """The buttons below an ordinary message; `last` are those that come behind all others."""
    made = [button for index, action in enumerate(actions) if (button := _button(action, index))]
    if not made and not last:
        return None
    view = discord.ui.View(timeout=None)
    for button in (*made[: BUTTONS - len(last)], *last):
        view.add_item(button)
    view.stop()
    return view


def _thumbs(ref: str) -> list[discord.ui.Button[Any]]:
    """Whether an answer helped."""
    made: list[discord.ui.Button[Any]] = []
    for action, thumb in zip(feedback.buttons(ref), THUMBS, strict=True):
        custom_id = ids.of_action(action, 0)
        made.append(discord.ui.Button(label=action.label, emoji=thumb, style=STYLES["plain"], custom_id=custom_id))
    return made


def _rows(actions: tuple[Action, ...]) -> list[discord.ui.ActionRow[Any]]:
    made = [button for index, action in enumerate(actions) if (button := _button(action, index))]
    rows = []
    for at in range(0, min(len(made), 10), ROW):
        row: discord.ui.ActionRow[Any] = discord.ui.ActionRow()
        for button in made[at : at + ROW]:
            row.add_item(button)
        rows.append(row)
    return rows


def _button(action: Action, index: int) -> discord.ui.Button[Any] | None:
    label = plain.one_line(action.label, 80)
    if action.style == "link":
        url = web_url(action.url)
        return discord.ui.Button(label=label, url=url) if 0 < len(url) <= URL else None
    return discord.ui.Button(label=label, style=STYLES[action.style], custom_id=ids.of_action(action, index))
