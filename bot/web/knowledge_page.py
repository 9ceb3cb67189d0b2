"""The knowledge page: where documents come from, how fresh they are, how much is covered, what could not be read."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from bot.web.render import time_of
from bot.web.views import standing
from kernel import moments

if TYPE_CHECKING:
    from datetime import datetime

    from bot.web.views import KnowledgeView, SourceView

INDEX = {
    "ready": "Searches go by meaning and by words.",
    "asleep": "Searches go by meaning and by words.",
    "starting": "The search by meaning starts; searches go by words meanwhile.",
    "rebuilding": "The search by meaning is being prepared; searches go by words meanwhile.",
}


def body(view: KnowledgeView) -> str:
    """The page for one person."""
    documents = "1 document" if view.documents == 1 else f"{view.documents:,} documents"
    index = INDEX.get(view.index, f"There is no search by meaning now ({view.problem}); searches go by words.")
    rows = "".join(map(_row, view.sources)) or "<tr><td colspan='4'>There is nothing here that you may read.</td></tr>"
    return (
        "<nav><a href='/'>← Chat</a></nav>"
        f"<header><h1>Knowledge</h1><p class='small'>{documents} that you may read · {escape(index)}</p></header>"
        f"{_documents(view)}<h2>How much is found by meaning</h2>"
        f"<progress max='100' value='{view.covered}' aria-label='Passages found by meaning'></progress>"
        f"<p class='small'>{view.covered}% of all passages are found by meaning, all of them by words. "
        f"Model: {escape(view.model)}</p>"
        "<h2>Sources</h2><div class='wide'><table><thead><tr><th>Source</th><th>Documents</th><th>State</th>"
        f"<th>Last read</th></tr></thead><tbody>{rows}</tbody></table></div>{_failed(view)}"
    )


def _documents(view: KnowledgeView) -> str:
    if not view.titles:
        return ""
    items = "".join(f"<li><a href='/documents/{escape(one)}'>{escape(title)}</a></li>" for one, title in view.titles)
    return f"<h2>Documents</h2><ul class='documents'>{items}</ul>"


def _row(source: SourceView) -> str:
    bar = (
        f"<progress max='{source.total}' value='{source.done}' aria-label='Being read'></progress>"
        if source.state == "reading" and source.total
        else ""
    )
    sign = {"ready": "good", "cut off": "bad", "away": "warn"}.get(source.state, "neutral")
    fresh = f"<br><span class='small'>new {_time(source.fresh_at)}</span>" if source.fresh_at else ""
    return (
        f"<tr><td>{escape(source.title)}<br><span class='small'>{escape(source.kind)}</span></td>"
        f"<td>{source.documents:,}</td><td><span class='state {sign}'>{escape(standing(source))}</span>{bar}</td>"
        f"<td>{'as it is told' if source.told else _time(source.checked_at)}{fresh}</td></tr>"
    )


def _failed(view: KnowledgeView) -> str:
    if not view.failed:
        return ""
    items = "".join(
        f"<li><strong>{escape(each.key)}</strong> <span class='small'>{escape(each.source)} · {_time(each.at)}</span>"
        f"<br>{escape(each.reason)}</li>"
        for each in view.failed
    )
    return f"<h2>Not read</h2><ul class='failed'>{items}</ul>"


def _time(at: datetime | None) -> str:
    return time_of(at, moments.written(at)) if at else "not yet"
