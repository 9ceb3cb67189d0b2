"""What Bosun says, as Discord messages: prose in ordinary messages, cards in components, long things as files."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import discord

from bot.discord import ids, neutral
from kernel.types import Action, Card, Frozen, Progress, Source, Text

if TYPE_CHECKING:
    from bot.discord.ids import Carried
    from kernel.types import Body, Payload, Step

PART = 1_900  # characters of a message, of the 2,000 that Discord takes
PARTS = 3  # messages of one answer; what is longer comes as a file
CARD = 3_600  # characters of a card, of the 4,000 that Discord takes
PREVIEW = 1_200  # characters of a payload that a card shows
PAYLOADS, SOURCES, STEPS, ROW, BUTTONS = 6, 8, 12, 5, 25
WORDS = {
    "pending": "not started",
    "running": "running",
    "done": "done",
    "failed": "failed",
    "waiting": "waiting for you",
}
SUFFIX = {"json": "json", "diff": "diff", "text": "txt"}
COLOURS = {"neutral": 0x6B7280, "waiting": 0xD97706, "good": 0x15803D, "bad": 0xB91C1C, "warn": 0xB45309}
STYLES = {
    "primary": discord.ButtonStyle.success,
    "danger": discord.ButtonStyle.danger,
    "plain": discord.ButtonStyle.secondary,
}


class Attachment(Frozen):
    """A file that belongs to a message. Its name holds its digest: the same name is the same content."""

    name: str
    content: str


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What people see: one message that is edited, and what follows it once."""

    content: str = ""  # of an ordinary message; empty for a card
    more: tuple[str, ...] = ()  # further messages
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
    return _text(body, console_url)


def plain(text: str) -> Shown:
    """A short sentence of our own."""
    return Shown(content=text[:PART])


def words(markdown: str) -> str:
    """A short text beside a file."""
    return neutral.beginning(neutral.neutral(markdown), PART)


# -- prose ----------------------------------------------------------------------------------------


def _text(body: Text, console_url: str) -> Shown:
    shown = neutral.neutral(body.markdown).strip() or "(empty message)"
    agent = neutral.line(body.agent or "", 80, "")
    if agent:
        shown = f"**{neutral.neutral(agent)}**\n{shown}"
    tail = _tail(body, console_url)
    pieces = neutral.parts(shown, PART)
    attachments: tuple[Attachment, ...] = ()
    if len(pieces) > PARTS:
        full = Attachment(name=_name("answer", body.markdown, "md"), content=body.markdown)
        attachments, pieces = (
            (full,),
            [f"{neutral.beginning(shown, PART - 120)}\n\n*The full text follows as {full.name}.*"],
        )
    if tail and len(pieces[-1]) + len(tail) + 1 <= PART:
        pieces[-1] = f"{pieces[-1]}\n{tail}"
    elif tail:
        pieces.append(tail)
    return Shown(content=pieces[0], more=tuple(pieces[1:]), attachments=attachments, view=_row(body.actions))


def _tail(body: Text, console_url: str) -> str:
    lines = [_source(source, console_url) for source in body.sources[:SOURCES]]
    lines += [f"-# {neutral.neutral(neutral.line(body.footer, 300, ''))}"] if body.footer.strip() else []
    return neutral.beginning("\n".join(lines), PART)


def _source(source: Source, console_url: str) -> str:
    url = neutral.web_url(f"{console_url}{source.url}" if source.url.startswith("/") and console_url else source.url)
    title = re.sub(r"[\[\]]", "", neutral.neutral(neutral.line(source.title, 120, "untitled")))
    shown = f"[{title}](<{url}>)" if url and ")" not in url else title
    quote = neutral.neutral(neutral.line(source.quote, 100, ""))
    return f"-# {source.number}. {shown}" + (f" — {quote}" if quote else "")


def _name(stem: str, content: str, suffix: str, digest: str = "") -> str:
    return f"{stem}-{(digest or hashlib.sha256(content.encode('utf-8', 'replace')).hexdigest())[:12]}.{suffix}"


# -- progress -------------------------------------------------------------------------------------


def _progress(body: Progress) -> Shown:
    agent = neutral.line(body.agent or "", 80, "")
    title = neutral.neutral(neutral.line(body.title, 80, "Working"))
    lines = [f"**{title}**" + (f" · {neutral.neutral(agent)}" if agent else "")]
    if len(body.steps) > STEPS:
        lines.append(f"- {len(body.steps) - STEPS} earlier steps")
    lines += [_step(step) for step in body.steps[-STEPS:]]
    head = neutral.clip("\n".join(lines), PART)
    room = PART - len(head) - 2
    partial = neutral.neutral(body.partial).strip() if room > 100 else ""
    content = f"{head}\n\n{neutral.beginning(partial, room)}" if partial else head
    stop = Action(subject=body.run, verb="stop", label="Stop")
    return Shown(content=content, view=_row((stop,) if body.stoppable and body.run else ()))


def _step(step: Step) -> str:
    shown = f"- {neutral.neutral(neutral.line(step.title, 80))} — {WORDS[step.status]}"
    detail = neutral.neutral(neutral.line(step.detail, 120, ""))
    return f"{shown}: {detail}" if detail else shown


# -- cards ----------------------------------------------------------------------------------------


def _card(body: Card) -> Shown:
    headline = neutral.neutral(neutral.line(body.headline, 150))
    state = neutral.neutral(body.state)
    if body.expires_at is not None:
        state += f"\nUntil <t:{int(body.expires_at.timestamp())}:f> (<t:{int(body.expires_at.timestamp())}:R>)"
    texts = [f"### {headline}", neutral.clip(state, 500)]
    if body.warning:
        texts.append(f"**Warning:** {neutral.neutral(neutral.line(body.warning, 300))}")
    facts = "\n".join(f"**{_one(fact.label, 60)}:** {_one(fact.value, 250) or '-'}" for fact in body.facts)
    texts += [neutral.clip(facts, 1_400)] if facts else []
    footer = f"-# {_one(body.footer, 300)}" if body.footer.strip() else ""
    room = CARD - sum(map(len, texts)) - len(footer)
    shown, attachments = _payloads(body.payloads[:PAYLOADS], room)
    room -= sum(map(len, shown))
    if body.text.strip() and room > 100:
        texts.append(neutral.beginning(neutral.neutral(body.text).strip(), min(room, 1_000)))
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
    """The literal contents; what does not fit is cut, said to be cut, and attached in full."""
    made: list[str] = []
    attached: list[Attachment] = []
    for payload in payloads:
        digest = f" · SHA-256 {payload.digest[:12]}" if payload.digest else ""
        title = f"**{_one(payload.title, 120) or 'Content'}**{digest}"
        longest = max(0, min(PREVIEW, room - len(title) - 160))
        literal = neutral.code(payload.content)
        language = payload.language if payload.language != "text" else ""
        if len(literal) <= longest:
            made.append(f"{title}\n```{language}\n{literal}\n```")
        else:
            name = _name("payload", payload.content, SUFFIX[payload.language], payload.digest)
            attached.append(Attachment(name=name, content=payload.content))
            note = f"-# The first {longest:,} of {len(payload.content):,} characters; in full in {name} in this thread."
            made.append(f"{title}\n```{language}\n{literal[:longest]}\n```\n{note}")
        room -= len(made[-1])
    return made, tuple(attached)


def _one(text: str, limit: int) -> str:
    return neutral.neutral(neutral.line(text, limit, ""))


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


def _row(actions: tuple[Action, ...]) -> discord.ui.View | None:
    """The buttons below an ordinary message."""
    made = [button for index, action in enumerate(actions) if (button := _button(action, index))]
    if not made:
        return None
    view = discord.ui.View(timeout=None)
    for button in made[:BUTTONS]:
        view.add_item(button)
    view.stop()
    return view


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
    label = neutral.line(action.label, 80)
    if action.style == "link":
        url = neutral.web_url(action.url)
        return discord.ui.Button(label=label, url=url) if url and len(url) <= 512 else None
    return discord.ui.Button(label=label, style=STYLES[action.style], custom_id=ids.of_action(action, index))
