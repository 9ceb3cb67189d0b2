"""The history of the web chat's channels, for the knowledge base."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.web import words
from kernel.store import web
from knowledge.engine.archives import Page, Told

if TYPE_CHECKING:
    from bot.web.adapter import WebAdapter
    from kernel.store import Session, Store
    from kernel.types import Place

AT_ONCE = 50  # messages of the channel, with all their replies


def counts(row: web.WebMessage) -> bool:
    """Neither Bosun's nor said to it: what is asked of it is no answer to anything."""
    return row.author != web.BOSUN and not row.addressed


class WebArchive:
    """`knowledge.engine.archives.Archive` over the chat's own tables."""

    def __init__(self, store: Store, adapter: WebAdapter) -> None:
        self._store, self._adapter = store, adapter

    async def page(self, place: Place, before: str = "") -> Page:
        """The messages before a number; what Bosun said itself, and what was said to it, is left out."""

        def read(session: Session) -> tuple[list[web.WebMessage], str]:
            roots = web.timeline(session, place.channel, int(before) if before else None, AT_ONCE)
            rows = [row for root in roots for row in (root, *(web.replies(session, root.id) if root.replies else ()))]
            return rows, str(roots[0].number) if len(roots) == AT_ONCE else ""

        rows, further = await self._store.read(read)
        return Page(messages=tuple(self.told(row) for row in rows if counts(row)), before=further)

    def told(self, row: web.WebMessage) -> Told:
        """A message as the knowledge base takes it."""
        place = self._adapter.place(row.channel, row.thread or (row.id if row.replies else ""))
        return Told(
            place=place,
            message=row.id,
            by=self._adapter.name_of(row.author),
            at=row.created_at,
            text=words.of_body(row.body),
            url=self._adapter.permalink(self._adapter.place(row.channel, row.thread), row.id),
        )
