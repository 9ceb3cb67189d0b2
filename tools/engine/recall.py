"""What the tools ask of the knowledge base."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from knowledge.engine.audience import Audience
    from knowledge.engine.documents import AddResult, Document, SearchResult


class Recall(Protocol):
    """The part of knowledge.engine.Knowledge that tools use."""

    async def search(self, query: str, audience: Audience, limit: int) -> SearchResult:
        """The best passages that the whole audience may read."""
        ...

    async def add(self, document: Document) -> AddResult:
        """Store a document and make it findable; the same key is a new version of the same document."""
        ...
