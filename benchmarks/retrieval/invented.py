"""Invented documents in any number: words as frequent as in a language, and vectors made from them without a model."""

from __future__ import annotations

import asyncio
import re
from itertools import islice, product
from typing import TYPE_CHECKING

import numpy as np

from kernel.store import knowledge as rows
from kernel.store import knowledge_vectors as stored
from kernel.store import knowledge_words as words
from kernel.types import Place
from knowledge.engine.audience import TEAM, Audience, channel
from knowledge.engine.documents import Document
from knowledge.engine.embedding import MINILM, choice_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kernel.store import Session, Store
    from knowledge.engine.embedding import Vectors
    from knowledge.engine.knowledge import Knowledge

VOCABULARY = 30_000  # words
ZIPF = 1.05  # how much more often the frequent ones are
PARAGRAPH = 150  # words: about a chunk
PARAGRAPHS = 10  # of a document
PAGE = 5_000  # chunks at a time
ONE_CHANNEL = Place(platform="web", tenant="local", channel="small")
EVERYBODY = Audience(grants=frozenset({TEAM}))
FEW = Audience(grants=frozenset({channel(ONE_CHANNEL)}))  # whoever is in the channel alone: one document in a hundred


class Language:
    """Words of an invented language, always the same ones."""

    def __init__(self) -> None:
        syllables = [first + second for first in "bdfgklmnprstvz" for second in "aeiou"]
        self.words = ["".join(parts) for parts in islice(product(syllables, repeat=3), VOCABULARY)]
        np.random.default_rng(7).shuffle(self.words)
        weights = 1.0 / np.arange(1, VOCABULARY + 1) ** ZIPF
        self._sums = np.cumsum(weights / weights.sum())

    def text(self, number: int, length: int) -> str:
        """The text with this number."""
        drawn = np.searchsorted(self._sums, np.random.default_rng(number).random(length))
        return " ".join(self.words[min(int(each), VOCABULARY - 1)] for each in drawn)

    def question(self, number: int) -> str:
        """Some words as somebody would ask for them: neither the commonest ones nor any that are hardly used."""
        chance = np.random.default_rng(number)
        return " ".join(self.words[each] for each in chance.integers(30, 5_000, chance.integers(3, 7)))


def documents(language: Language, first: int, count: int) -> Iterator[Document]:
    """`count` documents of about ten chunks each."""
    for number in range(first, first + count):
        paragraphs = [language.text(number * PARAGRAPHS + part, PARAGRAPH) for part in range(PARAGRAPHS)]
        yield Document(
            source="folder:invented",
            key=str(number),
            title=f"Document {number} {language.text(number, 4)}",
            text="\n\n".join(paragraphs),
            format="text",
            readers=(channel(ONE_CHANNEL),) if number % 100 == 0 else (TEAM,),
            origin="member_text",
        )


async def fill(store: Store, knowledge: Knowledge, chunks: int) -> int:
    """Put at least so many chunks with vectors into a new database; how many there are."""
    language = Language()
    await store.write(words.prepare)
    there = added = 0
    while there < chunks:
        made = await asyncio.gather(*map(knowledge.add, documents(language, added, 100)))  # they share their commits
        there += sum(each.chunks for each in made)
        added += 100
    projection = np.random.default_rng(11).standard_normal((VOCABULARY, choice_of(MINILM).size), np.float32)
    positions = {word: position for position, word in enumerate(language.words)}
    last = 0
    while page := await store.read(lambda session, last=last: _texts(session, last)):  # type: ignore[misc]
        invented = _vectors([text for _id, text in page], positions, projection)
        vectors = [(chunk_id, vector) for (chunk_id, _text), vector in zip(page, invented, strict=True)]
        await store.write(lambda session, vectors=vectors: _save(session, vectors))  # type: ignore[misc]
        last = page[-1][0]
    return there


def _texts(session: Session, after: int) -> list[tuple[int, str]]:
    sql = "SELECT id, text FROM chunk WHERE id > :after ORDER BY id LIMIT :limit"
    return [(row[0], row[1]) for row in rows.run(session, sql, after=after, limit=PAGE)]


def _vectors(texts: Sequence[str], positions: dict[str, int], projection: Vectors) -> list[bytes]:
    """Texts that share rare words are close: a random direction for each word, the frequent ones left out."""
    made = []
    for text in texts:
        drawn = [positions[word] for word in re.findall(r"\w+", text) if positions.get(word, 0) > 200]
        vector = projection[drawn].sum(axis=0) if drawn else projection[0]
        made.append((vector / np.linalg.norm(vector)).astype("<f2").tobytes())
    return made


def _save(session: Session, vectors: list[tuple[int, bytes]]) -> None:
    chosen = choice_of(MINILM)
    stored.save_vectors(session, chosen.name, chosen.size, vectors)
