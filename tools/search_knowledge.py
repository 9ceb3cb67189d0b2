"""search_knowledge: passages of the team's documents that everybody who will read the answer may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kernel.store import knowledge as documents
from kernel.store import personal as marks
from kernel.types import Labelled, ToolResult
from tools.engine import Arguments, ToolContext, tool
from tools.engine.preview import one_line
from tools.engine.recall import audience_of

TEAM = "team"

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.store import Session
    from knowledge.engine.documents import Passage


class SearchKnowledge(Arguments):
    """What is looked for."""

    query: str = Field(min_length=1, max_length=500, description="What to look for, in the words of the question")
    limit: int = Field(default=6, ge=1, le=15, description="How many passages")


@tool(effect="read", free_text=("query",), timeout=20)
async def search_knowledge(args: SearchKnowledge, ctx: ToolContext) -> ToolResult:
    """Search the team's knowledge base: handbooks, notes, uploads, memories. Use it before you say what the team does.

    The passages follow as numbered sources. Cite them; where none answers the question, say so.
    """
    found = await ctx.knowledge.search(args.query, await audience_of(ctx), args.limit)
    withheld = " Something fits that not everybody here may read; it is left out." if found.withheld else ""
    if not found.passages:
        sentence = f"Nothing was found. {found.searched}{withheld}"
        return ToolResult(
            content=sentence, pieces=(Labelled(text=sentence, origin="nowhere"),), summary="Nothing was found"
        )
    ids = tuple(dict.fromkeys(passage.document_id for passage in found.passages))
    readers, personal = await ctx.store.read(lambda session: _labels(session, ids, found.passages))
    lines = [f"- {_title(passage)}{_written(passage)}" for passage in found.passages]
    careful = "".join(f" {one_line(caution)}" for caution in found.cautions)
    return ToolResult(
        content="\n".join(
            [f"{_count(len(lines))}, the best first; their text follows as sources.{withheld}{careful}", *lines]
        ),
        pieces=tuple(
            Labelled(
                text=f"{_title(passage)}\n{passage.text}",
                origin=passage.origin,
                source=passage.document_id,
                personal=passage.document_id in personal,
                readers=readers.get(passage.document_id, ()),
            )
            for passage in found.passages
        ),
        sources=tuple(passage.as_source(number) for number, passage in enumerate(found.passages, 1)),
        summary=f"Found {_count(len(lines)).lower()}",
    )


def _labels(
    session: Session, ids: tuple[str, ...], passages: Iterable[Passage]
) -> tuple[dict[str, tuple[str, ...]], set[str]]:
    """Who may read each document (left out: the whole team), and which were written by runs with personal data."""
    readers = documents.readers_of(session, list(ids))
    subjects = {
        passage.document_id: {marks.of_document(passage.document_id), marks.of_run(passage.key)} for passage in passages
    }
    found = marks.marked(session, {subject for each in subjects.values() for subject in each})
    return (
        {document: who for document, who in readers.items() if TEAM not in who},
        {document for document, each in subjects.items() if each & found},
    )


def _count(number: int) -> str:
    return "1 passage" if number == 1 else f"{number} passages"


def _title(passage: Passage) -> str:
    return one_line(passage.where, 200)


def _written(passage: Passage) -> str:
    said = [passage.author, f"{passage.updated_at:%Y-%m-%d}" if passage.updated_at else ""]
    known = ", ".join(filter(None, said))
    return f" ({known})" if known else ""
