"""What the tools ask of the knowledge base."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from knowledge.engine.audience import Audience
    from knowledge.engine.documents import AddResult, Document, SearchResult
    from knowledge.engine.memories import Remembered
    from knowledge.memory import Fact
    from tools.engine.context import ToolContext


class Recall(Protocol):
    """The part of knowledge.engine.Knowledge that tools use."""

    async def search(self, query: str, audience: Audience, limit: int) -> SearchResult:
        """The best passages that the whole audience may read."""
        ...

    async def add(self, document: Document) -> AddResult:
        """Store a document and make it findable; the same key is a new version of the same document."""
        ...

    async def remember(self, fact: Fact, *, instead: str = "") -> Remembered:
        """Store a fact; it replaces an older one about the same with the same readers."""
        ...

    async def text_of(self, name: str, data: bytes) -> str:
        """The text of a document, such as a PDF, by the kind that its name says. NotReadable says why there is none."""
        ...


async def audience_of(ctx: ToolContext) -> Audience:
    """Everybody who will read the answer: in a direct message the requester, else all who are in the channel."""
    from knowledge.engine.audience import Audience

    facts = ctx.facts
    lanes = await ctx.directory.open_to(facts.place, facts.requester)
    return Audience.of(facts.place, facts.requester, facts.roles, lanes, actor=facts.actor)
