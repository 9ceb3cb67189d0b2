"""What Bosun says, as a Slack message: notification text, blocks, and the files for what does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.engine import feedback
from bot.engine.document import plain
from bot.engine.document.addresses import web_url
from bot.engine.document.files import Attachment, attachment
from bot.slack import blocks, dashboard, neutral, prose
from kernel import moments
from kernel.types import Action, Card, Dashboard, Frozen, Payload, Progress, Source, Text

if TYPE_CHECKING:
    from kernel.types import Body, Step

CARD_TEXT = 3_000
PREVIEW = 2_500  # characters of a payload that a card shows
FEW = 4  # payloads that are shown so far; of more each has its share
PAYLOADS = 10
SOURCES = 8
STEPS = 12
WORDS = {
    "pending": "not started",
    "running": "running",
    "done": "done",
    "failed": "failed",
    "waiting": "waiting for you",
}
SUFFIX = {"json": "json", "diff": "diff", "text": "txt"}


class Shown(Frozen):
    """A message as Slack wants it."""

    text: str  # notifications and screen readers
    blocks: list[dict[str, Any]]
    attachments: tuple[Attachment, ...] = ()


def render(body: Body, console_url: str = "") -> Shown:
    """The body as a Slack message. Whatever stands in it, nobody is pinged and the limits hold."""
    if isinstance(body, Card):
        return _card(body)
    if isinstance(body, Progress):
        return _progress(body)
    if isinstance(body, Dashboard):
        return Shown(text=neutral.mrkdwn(plain.one_line(body.title, 150)), blocks=dashboard.shown(body, console_url))
    return _text(body, console_url)


# -- prose ----------------------------------------------------------------------------------------


def _text(body: Text, console_url: str) -> Shown:
    said, attachments = prose.shown(body.markdown)
    agent = neutral.mrkdwn(plain.one_line(body.agent or "", 80, ""))
    made = blocks.context([f"*{agent}*"] if agent else [])
    made += said
    made += blocks.context(_source(source, console_url) for source in body.sources[:SOURCES])
    made += blocks.context([neutral.mrkdwn(body.footer)])
    made += blocks.actions(body.actions)
    made += blocks.feedback(*feedback.buttons(body.feedback)) if body.feedback else []
    spoken = prose.summary(body.markdown)
    text = f"{agent}: {spoken}" if agent else spoken
    return Shown(text=text or "(empty message)", blocks=made or [blocks.section("-")], attachments=tuple(attachments))


def _source(source: Source, console_url: str) -> str:
    url = web_url(f"{console_url}{source.url}" if source.url.startswith("/") and console_url else source.url)
    title = neutral.mrkdwn(plain.one_line(source.title, 200, "untitled"))
    if url:
        title = f"<{url.replace('&', '&amp;')}|{title.replace('|', '/')}>"
    quote = neutral.mrkdwn(plain.one_line(source.quote, 200, ""))
    return f"{source.number}. {title}" + (f" — {quote}" if quote else "")


# -- progress -------------------------------------------------------------------------------------


def _progress(body: Progress) -> Shown:
    title = neutral.mrkdwn(plain.one_line(body.title, 80, "Working"))
    agent = neutral.mrkdwn(plain.one_line(body.agent or "", 80, ""))
    lines = [f"*{title}*" + (f" · {agent}" if agent else "")]
    if len(body.steps) > STEPS:
        lines.append(f"• {len(body.steps) - STEPS} earlier steps")
    lines += [_step(step) for step in body.steps[-STEPS:]]
    made = [blocks.section("\n".join(lines))]
    if partial := prose.beginning(body.partial, blocks.MARKDOWN):
        made.append(blocks.markdown(partial))
    if body.stoppable and body.run:
        made += blocks.actions([Action(subject=body.run, verb="stop", label="Stop")])
    return Shown(text=title, blocks=made)


def _step(step: Step) -> str:
    line = f"• {neutral.mrkdwn(plain.one_line(step.title, 80))} — {WORDS[step.status]}"
    detail = neutral.mrkdwn(plain.one_line(step.detail, 120, ""))
    return f"{line}: {detail}" if detail else line


# -- cards ----------------------------------------------------------------------------------------


def _card(body: Card) -> Shown:
    state = _timed(body.state)
    if body.expires_at is not None:
        state += f"\nUntil {blocks.when(body.expires_at)}"
    made = [blocks.header(body.headline), blocks.section(state)]
    if body.warning:
        made.append(blocks.section(f"*Warning:* {neutral.mrkdwn(body.warning)}"))
    if text := prose.beginning(body.text, CARD_TEXT):
        made.append(blocks.markdown(text))
    made += blocks.facts(body.facts)
    attachments = []
    share = PREVIEW * FEW // max(FEW, len(body.payloads[:PAYLOADS]))
    for payload in body.payloads[:PAYLOADS]:
        shown, attachment = _payload(payload, share)
        made += shown
        attachments += [attachment] if attachment else []
    made += blocks.actions(body.actions)
    made += blocks.context([_timed(body.footer)])
    headline = neutral.mrkdwn(plain.one_line(body.headline, 150))
    return Shown(text=headline, blocks=made[: blocks.BLOCKS], attachments=tuple(attachments))


def _timed(text: str) -> str:
    """A plain text, escaped, with every moment in it in the zone of who reads it."""
    return moments.rewritten(neutral.mrkdwn(text), lambda at, _written: blocks.when(at))


def _payload(payload: Payload, longest: int) -> tuple[list[blocks.Block], Attachment | None]:
    """The literal content; what does not fit is cut, said to be cut, and attached in full."""
    digest = f" · SHA-256 {neutral.mrkdwn(payload.digest[:12])}" if payload.digest else ""
    title = neutral.mrkdwn(plain.one_line(payload.title, 150, "Content"))
    if len(payload.content) <= longest:
        return [blocks.section(f"*{title}*{digest}"), blocks.code(payload.content)], None
    suffix = SUFFIX[payload.language]
    full = attachment("payload", payload.content, suffix, payload.title, digest=payload.digest)
    note = f"The first {longest:,} of {len(payload.content):,} characters; in full in {full.name} in this thread."
    made = [blocks.section(f"*{title}*{digest}"), blocks.code(payload.content[:longest]), *blocks.context([note])]
    return made, full


def comment(markdown: str) -> str:
    """A short text beside a file, escaped."""
    return neutral.mrkdwn(plain.clip(markdown, 2000))
