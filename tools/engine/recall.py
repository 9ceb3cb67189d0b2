"""What the tools ask of the knowledge base."""

from __future__ import annotations

from typing import Any, Protocol


class Recall(Protocol):
    """The part of knowledge.engine that tools use."""

    async def search(self, query: str, audience: Any, limit: int = 8) -> list[Any]:
        """The best passages that the whole audience may read."""
        ...

    async def add(self, document: Any) -> Any:
        """Store a document and make it findable."""
        ...
