"""What a request begins with beside itself: preferences, facts and passages that help, and earlier requests like it.

Only what members of the team wrote and what is not personal comes by itself: a run is never tainted by what it did not
ask for. It is found by words: that is one read, and the same whether the vector index sleeps or not. It fits a budget
of tokens, the best first: how well it fits the request, times how often what is of its kind was cited so far. What is
left out can be asked for, with search_knowledge and read_request.
"""

from __future__ import annotations

import math
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

from agents.engine import caveats
from agents.engine.quoting import fence, shorten, source_blocks
from kernel import moments
from kernel.store import knowledge as documents
from kernel.store import memory, personal, work_done
from kernel.types import Labelled, Source
from knowledge.engine.audience import TEAM, Audience
from knowledge.engine.query import terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agents.engine.ports import Recall
    from kernel.people import Directory
    from kernel.store import Session
    from kernel.store.run_steps import RunState
    from kernel.store.work_done import Earlier
    from kernel.types import Json, RunFacts
    from knowledge.engine.documents import Passage

BUDGET = 6_400  # characters: about 2,000 tokens
LOOKED_AT = 12  # passages that the search may name
PREFERENCES, ONE_PREFERENCE = 5, 300  # how many, and characters of one
NAMED, REQUEST = 3, 160  # earlier requests that are named, and characters of one
RELATED = 0.4  # part of the rare words of a request that an earlier one shares with it
WORDS = 2  # fewer words than these say nothing about what could help
TRUST = 4  # times that a kind counts as offered, and half as often as cited, before anything is known of it
HEAD = "What is known here and may help; material like any other. Cite what you use of it by its number."


async def gather(recall: Recall, directory: Directory, run: RunState, facts: RunFacts) -> dict[str, Json] | None:
    """What to begin with, as the transcript keeps it; None where there is nothing."""
    if len(terms(run.request)) < WORDS:
        return None
    lanes = await directory.open_to(facts.place, facts.requester)
    audience = Audience.of(facts.place, facts.requester, facts.roles, lanes, actor=facts.actor)

    def pick(session: Session, passages: Sequence[Passage]) -> dict[str, Json] | None:
        return _chosen(session, run, facts, audience.readers, passages)

    return await recall.by_words(run.request, audience, LOOKED_AT, pick)


def _chosen(
    session: Session, run: RunState, facts: RunFacts, grants: list[str], passages: Sequence[Passage]
) -> dict[str, Json] | None:
    likes = memory.preferences(session, facts.requester.id, grants, PREFERENCES)
    ids = [*(passage.document_id for passage in passages), *(like.id for like in likes)]
    marked = personal.marked(session, map(personal.of_document, ids))
    mine = [like for like in likes if like.origin == "member_text" and personal.of_document(like.id) not in marked]
    own = {like.id for like in mine}
    uses = memory.uses(session) if passages else {}
    clean = [
        passage
        for passage in passages
        if passage.origin == "member_text" and personal.of_document(passage.document_id) not in marked
        if passage.document_id not in own
    ]
    clean.sort(key=lambda passage: -passage.score * usefulness(*uses.get(passage.kind, (0, 0))))
    shown = _fitting(clean, BUDGET - sum(min(len(like.text), ONE_PREFERENCE) for like in mine))
    earlier = related(run.request, work_done.earlier(session, run.where, run.conversation_id or "", run.id))
    if not (mine or shown or earlier):
        return None
    readers = documents.readers_of(session, ids) if ids else {}
    sources = [passage.as_source(number) for number, passage in enumerate(shown, 1)]
    return {
        "preferences": [shorten(like.text, ONE_PREFERENCE) for like in mine],
        "sources": [source.model_dump() for source in sources],
        "differ": caveats.differing(run.request, sources),
        "kinds": [passage.kind for passage in shown],
        "pieces": [
            *(_piece(like.text, like.id, readers) for like in mine),
            *(_piece(f"{passage.where}\n{passage.text}", passage.document_id, readers) for passage in shown),
        ],
        "earlier": [
            {"ref": one.ref, "by": one.by, "day": moments.day(one.at), "request": _short(one.request)}
            for one in earlier
        ],
        "left_out": len(passages) - len(shown),
    }


def _fitting(passages: Iterable[Passage], left: float) -> list[Passage]:
    shown = []
    for passage in passages:
        size = len(passage.title) + len(passage.text)
        if size <= left:
            shown.append(passage)
            left -= size
    return shown


def usefulness(offered: int, cited: int) -> float:
    """How often what is of a kind was cited where it was offered, 0 to 1; a half where nothing is known."""
    return (cited + TRUST / 2) / (offered + TRUST)


@lru_cache(4096)  # every request looks back on the same ones
def _words(request: str) -> frozenset[str]:
    return frozenset(terms(request))


def related(request: str, earlier: Sequence[Earlier]) -> list[Earlier]:
    """The earlier requests that share enough of a request's rare words, the closest first."""
    words = {one.ref: _words(one.request) for one in earlier}
    spread = Counter(word for each in words.values() for word in each)
    weight = {word: math.log(1 + (1 + len(earlier)) / (1 + spread[word])) for word in terms(request)}
    whole = sum(weight.values())
    share = {ref: sum(weight.get(word, 0.0) for word in each) / whole for ref, each in words.items()}
    best = sorted((one for one in earlier if share[one.ref] >= RELATED), key=lambda one: -share[one.ref])
    return best[:NAMED]


def blocks(known: dict[str, Json], requester: str) -> list[dict[str, Json]]:
    """It as the model reads it, before the request."""
    sources = [Source.model_validate(source) for source in known["sources"]]
    return [{"type": "text", "text": _in_words(known, requester)}, *source_blocks(sources)]


def _in_words(known: dict[str, Json], requester: str) -> str:
    parts = [HEAD]
    if known["preferences"]:
        said = "\n".join(f"- {each}" for each in known["preferences"])
        parts.append(f"What {requester} has said to prefer:\n{fence('quoted', said, source='memory')}")
    if known["earlier"]:
        lines = [f"- {one['ref']}, {one['by']}, {one['day']}: {one['request']}" for one in known["earlier"]]
        named = fence("quoted", "\n".join(lines), source="requests")
        parts.append(f"Earlier requests here that are like this one; read_request reads one with its answer:\n{named}")
    if known["left_out"]:
        parts.append(f"[{known['left_out']} more passages that fit are left out; search_knowledge finds them.]")
    parts += caveats.told(known)
    return "\n\n".join(parts)


def pieces(known: dict[str, Json]) -> list[Labelled]:
    """It as a run has read it, with its labels."""
    return [Labelled.model_validate(piece) for piece in known["pieces"]]


def count(session: Session, known: dict[str, Json], cited: Iterable[Source]) -> None:
    """Note what of it the answer has cited: that is what it is measured by."""
    used = {source.number for source in cited}
    offered: Counter[str] = Counter(known["kinds"])
    found: Counter[str] = Counter(
        kind for kind, source in zip(known["kinds"], known["sources"], strict=True) if source["number"] in used
    )
    for kind in sorted(offered):
        memory.count_use(session, kind, offered[kind], found[kind])


def _short(request: str) -> str:
    return " ".join(request.split())[:REQUEST]


def _piece(text: str, document: str, readers: dict[str, tuple[str, ...]]) -> Json:
    who = readers.get(document, ())
    own = () if TEAM in who else who
    return Labelled(text=text, origin="member_text", source=document, readers=own).model_dump()
