"""A collection in BEIR's layout: corpus.jsonl, queries.jsonl and qrels/test.tsv.

`metadata` of a document may say `thread`, `author` and `date`: then it is a message of a conversation. `reader` of a
document and of a query says who may read it and who asks; without it the team does.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from knowledge.engine.audience import TEAM, Audience
from knowledge.engine.conversation import text_of
from knowledge.engine.documents import Document, Said

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOURCE = "collection"
MESSAGE = "message:"  # in front of an id, as a permalink


@dataclass(frozen=True, kw_only=True)
class Query:
    """A question and which documents answer it."""

    text: str
    audience: Audience
    relevant: dict[str, int]  # document id -> grade


@dataclass(frozen=True, kw_only=True)
class Collection:
    """Documents and questions."""

    name: str
    documents: list[Document]
    queries: list[Query]


def read(folder: Path, split: str = "test") -> Collection:
    """The collection in a folder; FileNotFoundError where a file of the layout is missing."""
    entries = list(_lines(folder / "corpus.jsonl"))
    said: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    documents = []
    for entry in entries:
        if thread := (entry.get("metadata") or {}).get("thread"):
            said[thread].append(entry)
        else:
            documents.append(_document(entry))
    documents += [_conversation(thread, messages) for thread, messages in said.items()]
    judged = _judged(folder / "qrels" / f"{split}.tsv")
    queries = [
        Query(text=entry["text"], audience=_asker(entry), relevant=judged[str(entry["_id"])])
        for entry in _lines(folder / "queries.jsonl")
        if judged.get(str(entry["_id"]))
    ]
    return Collection(name=folder.name, documents=documents, queries=queries)


def found_id(source: str, permalink: str) -> str:
    """The id of the document, or of the message, that a passage belongs to."""
    return permalink.removeprefix(MESSAGE) if permalink.startswith(MESSAGE) else source


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def _judged(path: Path) -> dict[str, dict[str, int]]:
    judged: defaultdict[str, dict[str, int]] = defaultdict(dict)
    with path.open(encoding="utf-8") as file:
        for line in list(file)[1:]:
            query, document, grade = line.rstrip("\n").split("\t")
            if int(grade) > 0:
                judged[query][document] = int(grade)
    return judged


def _asker(entry: dict[str, Any]) -> Audience:
    return Audience(grants=frozenset({(entry.get("metadata") or {}).get("reader") or TEAM}))


def _document(entry: dict[str, Any]) -> Document:
    reader = (entry.get("metadata") or {}).get("reader") or TEAM
    return Document(
        source=SOURCE,
        key=str(entry["_id"]),
        title=entry.get("title") or "",
        text=entry.get("text") or entry.get("title") or "-",
        format="text",
        readers=(reader,),
        origin="member_text",
    )


def _conversation(thread: str, entries: list[dict[str, Any]]) -> Document:
    messages = []
    for number, entry in enumerate(entries):
        about = entry["metadata"]
        at = datetime.fromisoformat(about["date"]) if about.get("date") else datetime(2000, 1, 1, tzinfo=UTC)
        messages.append(
            Said(
                id=f"{number:06d}",
                by=about.get("author", ""),
                at=at,
                text=entry["text"],
                url=MESSAGE + str(entry["_id"]),
            )
        )
    return Document(
        source=SOURCE,
        key=thread,
        kind="chat",
        title=entries[0].get("title") or "",
        text=text_of(messages),
        format="chat",
        readers=(entries[0]["metadata"].get("reader") or TEAM,),
        origin="member_text",
    )
