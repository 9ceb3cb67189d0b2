"""Rows and values as the browser's page gets them: plain JSON, with every piece of markup already made safe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from bot.engine import feedback
from bot.engine.dashboard import agent_in_words, as_text, workflow_actions
from bot.engine.document.addresses import safe_url
from bot.web.render import to_html
from kernel.store.web import BOSUN
from kernel.types import Action, Body, Card, Dashboard, Form, Frozen, Json, Payload, Progress, Source, Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.engine.home_view import HomeView
    from kernel.store.web import WebMessage, WebPush, WebThread

_BODY: TypeAdapter[Body] = TypeAdapter(Body)


HOME = "All of this, with its buttons, stands on [Home](/home).\n\n"


class FileView(Frozen):
    """A file as a message shows it."""

    id: str
    name: str
    media_type: str
    size: int
    alt: str = ""


def message(row: WebMessage, names: Mapping[str, str]) -> Json:
    """A message. `names` are the team's Person ids with their display names."""
    body = _body(row.body, names)
    return {
        "id": row.id,
        "seq": row.seq,
        "number": row.number,
        "channel": row.channel,
        "thread": row.thread,
        "at": moment(row.created_at),
        "author": _author(row.author, names, body.pop("agent", None)),
        "reactions": row.reactions or [],
        "marks": [
            {"emoji": emoji, "by": [_author(person, names) for person in people]}
            for emoji, people in (row.marks or {}).items()
        ],
        "replies": row.replies,
        "repliedAt": moment(row.replied_at),
        "repliers": [_author(person, names) for person in row.repliers or ()],
        **body,
    }


def moment(time: datetime | None) -> str | None:
    """A time in ISO 8601."""
    return time.isoformat() if time else None


def _author(person: str, names: Mapping[str, str], agent: str | None = None) -> Json:
    if person == BOSUN:
        return {"id": "", "name": "Bosun", "agent": agent}
    return {"id": person, "name": names.get(person, person), "agent": None}


def _body(body: Json, names: Mapping[str, str]) -> dict[str, Json]:
    if body["type"] == "said":
        mentions = tuple(sorted((handle.lower(), name) for handle, name in names.items()))
        html = to_html(body["text"], (), (*mentions, ("bosun", "Bosun")))
        return {"kind": "text", "html": html, "files": body["files"]}
    if body["type"] == "file":
        return {"kind": "text", "html": to_html(body["comment"]), "files": body["files"]}
    value = _BODY.validate_python(body)
    if isinstance(value, Card):
        return {"kind": "card", "card": card(value)}
    if isinstance(value, Dashboard):
        return text(as_text(value))
    return progress(value) if isinstance(value, Progress) else text(value)


def text(value: Text) -> dict[str, Json]:
    """A message of prose."""
    cites = tuple((source.number, safe_url(source.url), source.title) for source in value.sources)
    return {
        "kind": "text",
        "agent": value.agent,
        "html": to_html(value.markdown, cites),
        "sources": [_source(source) for source in value.sources],
        "actions": [action(item) for item in value.actions],
        "footer": value.footer,
        "feedback": [action(item) for item in feedback.buttons(value.feedback)] if value.feedback else [],
    }


def _source(source: Source) -> Json:
    return {"number": source.number, "title": source.title, "url": safe_url(source.url), "quote": source.quote}


def progress(value: Progress) -> dict[str, Json]:
    """The object that shows a turn being worked on."""
    return {
        "kind": "progress",
        "agent": value.agent,
        "title": value.title,
        "steps": [step.model_dump(mode="json") for step in value.steps],
        "html": to_html(value.partial) if value.partial else "",
        "run": value.run if value.stoppable else "",
    }


def card(value: Card) -> Json:
    """A decision card."""
    return {
        "headline": value.headline,
        "state": value.state,
        "tone": value.tone,
        "html": to_html(value.text) if value.text else "",
        "facts": [{"label": fact.label, "value": fact.value} for fact in value.facts],
        "payloads": [_payload(item) for item in value.payloads],
        "warning": value.warning,
        "actions": [action(item) for item in value.actions],
        "footer": value.footer,
        "expiresAt": moment(value.expires_at),
    }


def _payload(value: Payload) -> Json:
    return value.model_dump(mode="json")


def action(value: Action) -> Json:
    """A button."""
    return {**value.model_dump(mode="json"), "url": safe_url(value.url)}


def form(value: Form) -> Json:
    """A dialog."""
    return value.model_dump(mode="json")


def thread(row: WebThread) -> Json:
    """What Bosun does in a thread."""
    return {"channel": row.channel, "thread": row.thread, "state": row.state}


def notice(row: WebPush) -> Json:
    """A private notice."""
    value = _told(_BODY.validate_python(row.payload["body"]))
    return {
        "id": row.id,
        "seq": row.seq,
        "at": moment(row.created_at),
        "seen": row.seen,
        "channel": row.payload["channel"],
        "thread": row.payload["thread"],
        **text(value),
    }


def _told(value: Body) -> Text:
    """A notice is a few words: what is a page or a card stands on the page that it leads to."""
    if isinstance(value, Dashboard):
        return Text(markdown=f"{HOME} {as_text(value).markdown}")
    if isinstance(value, Card):
        return Text(markdown=f"{value.headline}: [look at it in what waits for you](/waiting).")
    return value if isinstance(value, Text) else Text(markdown=value.title)


def home(view: HomeView) -> Json:
    """The dashboard."""
    return {
        "waiting": [{"card": card(item.card), "link": safe_url(item.link)} for item in view.waiting],
        "running": [
            {**item.model_dump(mode="json"), "link": safe_url(item.link), "startedAt": moment(item.started_at)}
            for item in view.running
        ],
        "schedules": [
            {**item.model_dump(mode="json"), "actions": [action(one) for one in workflow_actions(item)]}
            for item in view.schedules
        ],
        "agents": [
            {"name": item.name, "description": item.description, "rights": agent_in_words(item)} for item in view.agents
        ],
        "budgets": [item.model_dump(mode="json") for item in view.budgets],
        "recent": [
            {**item.model_dump(mode="json"), "link": safe_url(item.link), "at": moment(item.at)} for item in view.recent
        ],
        "footer": view.footer,
        "more": {part: said.replace("`", "") for part, said in view.more.items()},
        "settings": [
            {"title": item.title, "detail": item.detail, "actions": [action(one) for one in item.actions]}
            for item in view.settings
        ],
    }
