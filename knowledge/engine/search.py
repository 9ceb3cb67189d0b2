"""A search: both indexes are asked, the database says who may read what they name, and the rest is ranked.

Rights are never left to the vector index: it names 300 chunks, the database drops those that the audience may not
read, and more are asked for while too few are left.
"""

from __future__ import annotations

import asyncio
import heapq
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, TypeVar, cast

from kernel.store import knowledge as rows
from kernel.store import knowledge_vectors as stored
from kernel.store import knowledge_words as words
from knowledge.engine.cautions import cautions, dated
from knowledge.engine.documents import Passage, SearchResult
from knowledge.engine.indexer import NOTES
from knowledge.engine.query import MAX_LENGTH, terms
from knowledge.engine.ranking import CLOSE, COVERED, answers, compared, fuse, in_order, with_windows
from knowledge.engine.vectors import VectorsFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kernel.clock import Clock
    from kernel.store import Session, Store
    from knowledge.engine.audience import Audience
    from knowledge.engine.documents import Kind, Origin
    from knowledge.engine.indexer import Indexer, Reached
    from knowledge.engine.ranking import Ranked
    from knowledge.engine.vectors import Near

T = TypeVar("T")

FIRST = 300  # chunks that each index is asked for
MORE = 4  # times as many, while too few may be read
ENOUGH = 50  # readable chunks of each index that are worth ranking
BRIEF = 0.002  # seconds: a search by words that takes no longer needs no thread
EXACT = 8_000  # where an audience may read no more chunks than these, all are compared instead
COMPARED = 50  # chunks found by words alone whose cosine is looked up
IN_WINDOWS = 100  # best messages that are looked at with their neighbours
WORD_BY_WORD = 20  # best chunks that are compared word by word, where they are short
SHORT = 600  # characters: of longer ones the vector of the whole says as much
JUDGED = 10  # best chunks whose words decide whether the question is answered


@dataclass(kw_only=True)
class _Gathered:
    """What is known about the chunks that the indexes named."""

    known: dict[int, rows.Found] = field(default_factory=dict)
    cosines: dict[int, float] = field(default_factory=dict)
    bm25: dict[int, float] = field(default_factory=dict)

    def allowed(self, ids: dict[int, float]) -> dict[int, float]:
        return {n: score for n, score in ids.items() if n in self.known and self.known[n].allowed}

    def ranked(self) -> list[Ranked]:
        """What may be read, by what both indexes say. Windows of messages are measured by the best of windows."""
        whole, windows = self._fused(in_window=False), self._fused(in_window=True)
        return in_order({entry.id: entry.score for entry in [*whole, *windows]})

    def _fused(self, *, in_window: bool) -> list[Ranked]:
        cosines, bm25 = (
            {n: score for n, score in self.allowed(ids).items() if (self.known[n].number < 0) is in_window}
            for ids in (self.cosines, self.bm25)
        )
        return fuse(cosines, bm25, max(bm25.values(), default=0.0))

    def windows(self) -> dict[int, int]:
        """Window -> its message, of those that may be read. A window whose message is not known here maps to itself."""
        chat = [chunk for chunk in self.known.values() if chunk.kind == "chat" and chunk.allowed]
        messages = {(chunk.document_id, chunk.number): chunk.id for chunk in chat if chunk.number > 0}
        return {
            chunk.id: messages.get((chunk.document_id, -chunk.number), chunk.id) for chunk in chat if chunk.number < 0
        }

    def kept(self, ids: dict[int, float]) -> dict[int, float]:
        """Without what is gone from the database."""
        return {n: score for n, score in ids.items() if n in self.known}


class Search:
    """Searches; holds nothing but how long it took."""

    def __init__(self, store: Store, indexer: Indexer, clock: Clock, patience: float) -> None:
        self._store, self._indexer, self._clock, self._patience = store, indexer, clock, patience
        self._took = BRIEF  # seconds, the last search by words alone

    async def run(self, query: str, audience: Audience, limit: int, patience: float | None = None) -> SearchResult:
        """The best passages for a query that everybody in the audience may read."""
        with self._indexer.in_use():
            return await self._run(_plain(query), audience.readers, limit, patience)

    async def by_words(
        self, query: str, audience: Audience, limit: int, pick: Callable[[Session, Sequence[Passage]], T]
    ) -> T:
        """What `pick` makes of the best passages by words alone, in the one transaction that found them."""
        wanted, grants = terms(_plain(query)), audience.readers

        def read(session: Session) -> T:
            began = perf_counter()
            gathered = _Gathered()
            _by_words(session, gathered, wanted, grants)
            _counterparts(session, gathered, _messages(gathered), grants)
            ranked = with_windows(gathered.ranked(), gathered.windows())
            found = _conclude(session, gathered, ranked, wanted, grants, limit=limit, close=False).passages
            picked = pick(session, found)
            self._took = perf_counter() - began
            return picked

        return await self._store.read(read, brief=self._took < BRIEF)

    async def _run(self, query: str, grants: list[str], limit: int, patience: float | None) -> SearchResult:
        if not query or limit < 1:
            documents = await self._store.read(lambda session: rows.readable_documents(session, grants))
            return SearchResult(documents=documents)
        wanted = terms(query)
        gathered = _Gathered()
        patience = self._patience if patience is None else patience
        reached, documents = await asyncio.gather(
            self._by_meaning(gathered, await self._indexer.reach(patience), query, grants),
            self._store.read(lambda session: _found_of(session, gathered, wanted, grants)),
        )
        if reached is not None and not await self._compare(gathered, reached, query):
            reached = None
        by_meaning = reached is not None
        ranked = await self._rank(gathered, reached, query, grants)
        result = await self._store.read(
            lambda session: _conclude(session, gathered, ranked, wanted, grants, limit=limit, close=by_meaning)
        )
        note = "" if by_meaning else NOTES.get(self._indexer.state, NOTES["failed"])
        return result.model_copy(
            update={
                "documents": documents,
                "ways": ("meaning", "words") if by_meaning else ("words",),
                "note": note,
                "cautions": cautions(dated(result.passages), self._clock.now().date()),
            }
        )

    async def _by_meaning(
        self, gathered: _Gathered, reached: Reached | None, query: str, grants: list[str]
    ) -> Reached | None:
        """Ask the vector index; the one that was asked, None where there is none that could be."""
        while reached is not None:
            try:
                await self._nearest(gathered, reached, query, grants)
            except VectorsFailed as error:
                gathered.cosines.clear()
                # It may be gone because another process has switched to a newer one.
                if not await self._indexer.follow(reached.opened.id):
                    self._indexer.lost(error)
                    return None
                reached = await self._indexer.reach(0.0)
            else:
                return reached
        return None

    async def _nearest(self, gathered: _Gathered, reached: Reached, query: str, grants: list[str]) -> None:
        amount = FIRST
        while True:
            near = await reached.client.query(reached.opened, query, amount)
            await self._look_up(gathered, near, grants)
            gathered.cosines.update((hit.id, hit.cosine) for hit in near)
            if len(near) < amount or len(gathered.allowed(gathered.cosines)) >= ENOUGH:
                return
            if amount == FIRST and await self._all_of_few(gathered, reached, query, grants):
                return
            amount *= MORE

    async def _all_of_few(self, gathered: _Gathered, reached: Reached, query: str, grants: list[str]) -> bool:
        """Compare with everything that may be read, where that is little: no index is faster."""
        few = await self._store.read(lambda session: rows.readable_chunks(session, grants, EXACT + 1))
        if len(few) > EXACT:
            return False
        vectors = await self._store.read(lambda session: stored.vectors(session, few, reached.opened.model))
        scored = await reached.client.score(reached.opened, query, vectors)
        near = heapq.nlargest(FIRST, scored, key=lambda hit: hit.cosine)  # as many as an index would name
        await self._look_up(gathered, near, grants)
        gathered.cosines.update((hit.id, hit.cosine) for hit in near)
        return True

    async def _look_up(self, gathered: _Gathered, near: Sequence[Near], grants: list[str]) -> None:
        await self._store.read(lambda session: _look_up(session, gathered, near, grants))

    async def _compare(self, gathered: _Gathered, reached: Reached, query: str) -> bool:
        """Look up the cosines of the best chunks that only the words have found."""
        found = gathered.kept(gathered.bm25)
        best = sorted(found, key=lambda n: -found[n])[:COMPARED]
        missing = [n for n in best if n not in gathered.cosines]
        if not missing:
            return True
        vectors = await self._store.read(lambda session: stored.vectors(session, missing, reached.opened.model))
        try:
            near = await reached.client.score(reached.opened, query, vectors)
        except VectorsFailed as error:
            self._indexer.lost(error)
            gathered.cosines.clear()
            return False
        gathered.cosines.update((hit.id, hit.cosine) for hit in near)
        return True

    # -- ranking ----------------------------------------------------------------------------------

    async def _rank(self, gathered: _Gathered, reached: Reached | None, query: str, grants: list[str]) -> list[Ranked]:
        """What may be read, best first: both indexes, messages with their neighbours, short chunks word by word."""
        try:
            await self._in_windows(gathered, reached, query, grants)
            ranked = with_windows(gathered.ranked(), gathered.windows())
            return ranked if reached is None else await self._word_by_word(gathered, reached, query, ranked)
        except VectorsFailed as error:
            self._indexer.lost(error)
            return with_windows(gathered.ranked(), gathered.windows())

    async def _in_windows(self, gathered: _Gathered, reached: Reached | None, query: str, grants: list[str]) -> None:
        """Look up what is missing of the best messages: they are scored alone and in their windows."""
        messages = _messages(gathered)
        if not messages:
            return
        new = await self._store.read(lambda session: _counterparts(session, gathered, messages, grants))
        missing = [n for n in new if n not in gathered.cosines]
        if reached is None or not missing:
            return
        model = reached.opened.model
        vectors = await self._store.read(lambda session: stored.vectors(session, missing, model))
        near = await reached.client.score(reached.opened, query, vectors)
        gathered.cosines.update((hit.id, hit.cosine) for hit in near)

    async def _word_by_word(
        self, gathered: _Gathered, reached: Reached, query: str, ranked: list[Ranked]
    ) -> list[Ranked]:
        best = [entry.id for entry in _distinct(ranked, gathered)[:WORD_BY_WORD]]
        texts = await self._store.read(lambda session: rows.bodies(session, best))
        if not best or sum(map(len, texts.values())) > SHORT * len(best):
            return ranked
        fits = await reached.client.compare(reached.opened, query, [texts.get(n, "") for n in best])
        return ranked if fits is None else compared(ranked, dict(zip(best, fits, strict=True)))


def _plain(query: str) -> str:
    return " ".join(query[:MAX_LENGTH].split())


def _messages(gathered: _Gathered) -> list[rows.Found]:
    """The best messages that were found."""
    if not any(chunk.kind == "chat" for chunk in gathered.known.values()):
        return []
    best = [gathered.known[entry.id] for entry in gathered.ranked()[: 2 * IN_WINDOWS]]
    return [chunk for chunk in best if chunk.kind == "chat"][:IN_WINDOWS]


def _counterparts(
    session: Session, gathered: _Gathered, messages: Sequence[rows.Found], grants: list[str]
) -> list[int]:
    """Learn of the windows of messages, and of the messages of windows; returns the ids of all of them."""
    if not messages:
        return []
    documents = list({message.document_id for message in messages})
    wanted = {(message.document_id, -message.number) for message in messages}
    found = rows.numbered(session, documents, sorted({number for _document, number in wanted}))
    ids = [n for n, document, number in found if (document, number) in wanted]
    new = [n for n in ids if n not in gathered.known]
    if new:
        gathered.known.update((chunk.id, chunk) for chunk in rows.look_up(session, new, grants))
    return ids + [message.id for message in messages]


def _look_up(session: Session, gathered: _Gathered, hits: Sequence[Near | words.Match], grants: list[str]) -> None:
    """Learn which chunks exist, and which of them may be read."""
    new = [hit.id for hit in hits if hit.id not in gathered.known]
    if new:
        gathered.known.update((chunk.id, chunk) for chunk in rows.look_up(session, new, grants))


def _found_of(session: Session, gathered: _Gathered, wanted: list[str], grants: list[str]) -> int:
    """Ask the index of words; returns of how many documents that may be read."""
    _by_words(session, gathered, wanted, grants)
    return rows.readable_documents(session, grants)


def _by_words(session: Session, gathered: _Gathered, wanted: list[str], grants: list[str]) -> None:
    """Ask the index of words."""
    hits = words.matches(session, wanted, FIRST)
    _look_up(session, gathered, hits, grants)
    gathered.bm25.update((hit.id, hit.score) for hit in hits)
    if len(hits) == FIRST and len(gathered.allowed(gathered.bm25)) < ENOUGH:
        hits = words.readable_matches(session, wanted, FIRST, grants)
        _look_up(session, gathered, hits, grants)
        gathered.bm25.update((hit.id, hit.score) for hit in hits)


def _conclude(
    session: Session,
    gathered: _Gathered,
    ranked: list[Ranked],
    wanted: list[str],
    grants: list[str],
    *,
    limit: int,
    close: bool,
) -> SearchResult:
    """Abstain or not, and fetch the texts. Whoever lost the right to read in the meantime gets none."""
    cosines, bm25 = gathered.allowed(gathered.cosines), gathered.allowed(gathered.bm25)
    best_bm25 = max(bm25.values(), default=0.0)
    plain = _distinct(fuse(cosines, bm25, best_bm25), gathered)  # as what is withheld is scored
    withheld = _withheld(session, gathered, wanted, plain[:limit], best_bm25, close=close)
    ranked = _distinct(ranked, gathered)
    if not any(cosine >= CLOSE for cosine in cosines.values()):
        judged = [entry.id for entry in ranked[:JUDGED]]
        held = words.coverage(session, wanted, judged)
        if not answers((), (held.share(n) for n in judged)):
            return SearchResult(withheld=withheld)
    texts = rows.texts(session, [entry.id for entry in ranked[:limit]], grants)
    passages = tuple(_passage(texts[entry.id], entry.score) for entry in ranked[:limit] if entry.id in texts)
    return SearchResult(passages=passages, withheld=withheld)


def _distinct(ranked: list[Ranked], gathered: _Gathered) -> list[Ranked]:
    """Of chunks with the same text, all readable here, the best one."""
    seen: set[str] = set()
    kept = []
    for entry in ranked:
        digest = gathered.known[entry.id].digest
        if digest not in seen:
            seen.add(digest)
            kept.append(entry)
    return kept


def _withheld(
    session: Session,
    gathered: _Gathered,
    wanted: list[str],
    shown: list[Ranked],
    best_bm25: float,
    *,
    close: bool,
) -> bool:
    """Whether something that may not be read here is about the question and as good as what is shown."""
    others = {n for n, chunk in gathered.known.items() if not chunk.allowed}
    shown_digests = {gathered.known[entry.id].digest for entry in shown}
    cosines = {n: score for n, score in gathered.cosines.items() if n in others}
    bm25 = {n: score for n, score in gathered.bm25.items() if n in others}
    bar = shown[-1].score if shown else 0.0
    best = max(best_bm25, max(bm25.values(), default=0.0))
    rivals = [entry.id for entry in fuse(cosines, bm25, best)[:JUDGED] if entry.score >= bar]
    rivals = [n for n in rivals if gathered.known[n].digest not in shown_digests]
    if not rivals:
        return False
    if close:
        return any(cosines.get(n, 0.0) >= CLOSE for n in rivals)
    held = words.coverage(session, wanted, rivals)
    return any(held.share(n) >= COVERED for n in rivals)


def _passage(found: rows.ChunkText, score: float) -> Passage:
    return Passage(
        document_id=found.document_id,
        number=found.number,
        title=found.title,
        headings=tuple(found.heading.split("\n")[1:]),
        text=found.text,
        origin=cast("Origin", found.origin),
        kind=cast("Kind", found.kind),
        author=found.author,
        source=found.source,
        key=found.key,
        original=found.url,
        permalink=found.opens,
        written_at=found.written_at,
        updated_at=found.updated_at,
        score=round(min(score, 1.0), 6),
    )
