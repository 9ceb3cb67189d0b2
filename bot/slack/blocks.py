"""Block Kit as plain dicts, within Slack's limits. Limits: docs.slack.dev/reference/block-kit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.engine.document import plain
from bot.engine.document.addresses import web_url
from bot.engine.document.markdown import JOINER
from bot.slack import neutral
from bot.slack.presses import FEEDBACK, action_id, action_value, menu_value
from kernel import moments

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from kernel.types import Action, Confirm, Fact

Block = dict[str, Any]

MARKDOWN = 11_500  # of 12,000 characters that all markdown blocks of a message may have together
SECTION = 3_000
HEADER = 150
FIELD = 2_000
FIELDS = 10
CONTEXT = 10
BUTTONS = 25
MENU = 5  # entries
BLOCKS = 50
HOME_BLOCKS = 100  # of a Home tab


def markdown(text: str) -> Block:
    """A block of prose that has been made neutral before."""
    return {"type": "markdown", "text": text}


def table(rows: Sequence[Sequence[str]]) -> Block:
    """A table that readers can sort and page; the first row is its header."""
    cells = [[{"type": "raw_text", "text": cell or " "} for cell in row] for row in rows]
    caption = plain.one_line(", ".join(rows[0]), 100, "Table")
    return {"type": "data_table", "caption": caption, "rows": cells, "page_size": 20}


def header(text: str) -> Block:
    """A headline: plain text, in which Slack looks for nothing but emoji names."""
    return {"type": "header", "text": {"type": "plain_text", "text": plain.one_line(text, HEADER), "emoji": False}}


def section(mrkdwn: str) -> Block:
    """A paragraph of text that has been escaped before."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": clip_escaped(mrkdwn, SECTION).strip() or "-"}}


def facts(items: Sequence[Fact]) -> list[Block]:
    """Labelled lines, two columns on a desk and one on a phone."""
    fields = [
        {
            "type": "mrkdwn",
            "text": clip_escaped(f"*{neutral.mrkdwn(fact.label)}*\n{neutral.mrkdwn(fact.value) or '-'}", FIELD),
        }
        for fact in items
    ]
    return [{"type": "section", "fields": fields[at : at + FIELDS]} for at in range(0, len(fields), FIELDS)]


def code(text: str) -> Block:
    """Literal text, byte for byte: Slack interprets nothing in it."""
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text or " "}]}],
    }


def context(lines: Iterable[str]) -> list[Block]:
    """Small print, escaped before; one block for ten lines."""
    elements = [{"type": "mrkdwn", "text": clip_escaped(line, SECTION)} for line in lines if line.strip()]
    return [{"type": "context", "elements": elements[at : at + CONTEXT]} for at in range(0, len(elements), CONTEXT)]


def actions(items: Sequence[Action]) -> list[Block]:
    """A row of buttons; links that do not lead to the web are left out."""
    folded = [item for item in items if item.more and item.style != "link" and item.confirm is None]
    if not 2 <= len(folded) <= MENU:
        folded = []
    buttons = [made for index, item in enumerate(items) if item not in folded and (made := button(item, index))]
    elements = buttons[: BUTTONS - 1] + ([_menu(folded)] if folded else [])
    return [{"type": "actions", "elements": elements}] if elements else []


def feedback(good: Action, bad: Action) -> list[Block]:
    """Slack's own two thumbs: it shows which one a person has pressed, and tells of each change."""
    elements = [
        {
            "type": "feedback_buttons",
            "action_id": FEEDBACK,
            "positive_button": _thumb(good, "This answer helped me"),
            "negative_button": _thumb(bad, "This answer did not help me"),
        }
    ]
    return [{"type": "context_actions", "elements": elements}]


def _thumb(action: Action, spoken: str) -> Block:
    return {"text": _plain(action.label, 75), "accessibility_label": spoken, "value": menu_value(action)}


def _menu(items: Sequence[Action]) -> Block:
    """What is rarely wanted, behind three dots."""
    options = [
        {
            "text": {"type": "plain_text", "text": plain.one_line(item.label, 75), "emoji": False},
            "value": menu_value(item),
        }
        for item in items
    ]
    return {"type": "overflow", "action_id": "menu", "options": options}


def button(action: Action, index: int) -> Block | None:
    """A button; None for a link that does not lead to the web."""
    made: Block = {
        "type": "button",
        "action_id": action_id(action, index),
        "text": {"type": "plain_text", "text": plain.one_line(action.label, 75), "emoji": False},
    }
    if action.style == "link":
        made["url"] = web_url(action.url)
        return made if made["url"] else None
    made["value"] = action_value(action)
    if action.style in {"primary", "danger"}:
        made["style"] = action.style
    if action.confirm is not None:
        made["confirm"] = _confirm(action.confirm)
    return made


def _confirm(confirm: Confirm) -> Block:
    return {
        "title": _plain(confirm.title, 100),
        "text": _plain(confirm.text, 300),
        "confirm": _plain(confirm.label, 30),
        "deny": _plain("Cancel", 30),
    }


def _plain(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": plain.one_line(text, limit)}


def simple(items: Sequence[Block]) -> list[Block]:
    """The same message of blocks that every workspace and every client knows, for when Slack refuses the newer ones."""
    made: list[Block] = []
    for item in items:
        if item["type"] == "markdown":
            text = neutral.mrkdwn(item["text"])
            made += [section(text[at : at + SECTION]) for at in range(0, min(len(text), 4 * SECTION), SECTION)]
        elif item["type"] == "rich_text":
            text = item["elements"][0]["elements"][0]["text"].replace("```", f"``{JOINER}`")
            made.append(section(f"```{clip_escaped(neutral.mrkdwn(text), SECTION - 6)}```"))
        elif item["type"] == "data_table":
            rows = [[cell["text"].strip() for cell in row] for row in item["rows"]]
            text = neutral.mrkdwn(plain.columns(rows)).replace("```", f"``{JOINER}`")
            made.append(section(f"```{clip_escaped(text, SECTION - 6)}```"))
        elif item["type"] != "context_actions":
            made.append(item)
    return made[:BLOCKS]


def without_feedback(items: Sequence[Block]) -> list[Block]:
    """The same message without the two thumbs, for workspaces that do not have them."""
    return [item for item in items if item["type"] != "context_actions"]


def when(moment: datetime) -> str:
    """A time that every reader sees in their own zone."""
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|{moments.written(moment)}>"


def clip_escaped(text: str, limit: int) -> str:
    """`plain.clip` that does not leave half of an escaped character at the end."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    at = head.rfind("&", limit - 8)
    return (head[:at] if at >= 0 and ";" not in head[at:] else head).rstrip() + "…"
