"""Models that embed: the shipped one in two precisions, services, and the way from one to another without a gap."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from kernel.errors import ConfigError
from kernel.store import Store
from kernel.store import knowledge as rows
from knowledge.engine.embedding import MINILM, MINILM_WHOLE, WORDS, EmbeddingChoice, choice_of, load_embedder
from knowledge.engine.embedding_services import ServiceEmbedder
from knowledge.engine.vectors import VectorsFailed
from tests.knowledge.conftest import Opened
from tests.knowledge.embedding_server import KEY, EmbeddingServer
from tests.knowledge.index_differences import differences
from tests.knowledge.searching import Searching
from tests.knowledge.team import IN_GENERAL, document
from tests.knowledge.test_index import fill

if TYPE_CHECKING:
    from knowledge.engine.embedding import Vectors

TEXTS = ["Refunds are paid in May.", "Unicorns are counted in June."]
PAIRS = [
    ("How long do refunds take?", "Money back is on your account within ten days."),
    ("Where is the car park?", "You may leave your vehicle behind the building."),
    ("Who signs contracts?", "Agreements need the signature of a director."),
]


@pytest.fixture
async def service() -> AsyncIterator[EmbeddingServer]:
    async with EmbeddingServer() as made:
        yield made


def choice(service: EmbeddingServer, provider: str = "openai", **more: Any) -> EmbeddingChoice:
    known = {"provider": provider, "model": "m-1", "dimension": 64, "url": f"{service.url}/{provider}"}
    return EmbeddingChoice.model_validate({**known, **({} if provider == "ollama" else {"key": "TOKEN"}), **more})


async def embed(
    service: EmbeddingServer,
    texts: list[str],
    provider: str = "openai",
    *,
    query: bool = False,
    key: str = KEY,
    **more: Any,
) -> Vectors:
    """What the service gives for the texts."""
    made = load_embedder(choice(service, provider, **more), {"TOKEN": key})
    assert isinstance(made, ServiceEmbedder)
    try:
        return await asyncio.to_thread(made.embed, texts, query=query)
    finally:
        made.close()


# -- the shipped model ----------------------------------------------------------------------------


def test_both_precisions_of_the_shipped_model_mean_the_same() -> None:
    small, whole = (load_embedder(choice_of(name), {}) for name in (MINILM, MINILM_WHOLE))
    assert (small.name, whole.name) == ("all-MiniLM-L6-v2/int8-1", "all-MiniLM-L6-v2/fp32")
    questions, answers = ([pair[side] for pair in PAIRS] for side in (0, 1))
    by_small, by_whole = small.embed(questions + answers), whole.embed(questions + answers)
    assert by_small.shape == by_whole.shape == (6, 384)
    assert np.allclose(np.linalg.norm(by_whole, axis=1), 1, atol=1e-5)
    assert float((by_small * by_whole).sum(axis=1).min()) > 0.97
    for made in (by_small, by_whole):
        assert (made[:3] @ made[3:].T).argmax(axis=1).tolist() == [0, 1, 2]


def test_the_same_text_has_the_same_vector_whatever_stands_beside_it() -> None:
    small = load_embedder(choice_of(MINILM), {})
    assert np.array_equal(small.embed(TEXTS)[1], small.embed(TEXTS[1:])[0])


# -- services -------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", ["openai", "voyage", "ollama"])
async def test_a_service_is_asked_as_it_wants_it(service: EmbeddingServer, provider: str) -> None:
    assert choice(service, provider).name == f"{provider}:m-1/64"
    own = load_embedder(choice_of(WORDS), {}).embed(TEXTS)
    assert np.allclose(await embed(service, TEXTS, provider), own, atol=1e-6)
    assert np.allclose(await embed(service, TEXTS[:1], provider, query=True), own[:1], atol=1e-6)
    kinds = [body.get("input_type") for body in service.asked]
    assert kinds == (["document", "query"] if provider == "voyage" else [None, None])


async def test_a_service_is_asked_for_many_texts_in_several_requests(service: EmbeddingServer) -> None:
    vectors = await embed(service, [f"word{n}" for n in range(130)])
    assert vectors.shape == (130, 64)
    assert [len(body["input"]) for body in service.asked] == [64, 64, 2]


async def test_a_busy_service_is_asked_again(service: EmbeddingServer) -> None:
    service.failing.extend([(429, {"retry-after": "0"}), (503, {"retry-after": "0"})])
    assert (await embed(service, TEXTS)).shape == (2, 64)


async def test_what_a_service_does_wrong_is_said_and_the_key_is_not(service: EmbeddingServer) -> None:
    with pytest.raises(VectorsFailed, match=r"The embedding service openai failed: HTTP 401\.") as refused:
        await embed(service, TEXTS, key="wrong-word")
    assert "wrong-word" not in str(refused.value)
    with pytest.raises(VectorsFailed, match=r"Put the model's dimension into sources\.yaml"):
        await embed(service, TEXTS, dimension=384)
    service.failing.append((429, {"retry-after": "3600"}))  # longer than anybody waits in a request
    with pytest.raises(VectorsFailed, match="HTTP 429"):
        await embed(service, TEXTS)


def test_what_the_charter_may_choose() -> None:
    with pytest.raises(ConfigError, match="need the secret TOKEN, which is not set"):
        load_embedder(EmbeddingChoice(provider="openai", model="m", dimension=8, key="TOKEN"), {})
    with pytest.raises(ConfigError, match="There is no embedding model"):
        choice_of("word2vec")
    with pytest.raises(ValueError, match="needs the model's name and its dimension"):
        EmbeddingChoice(provider="voyage")


# -- from one model to another --------------------------------------------------------------------


def models(store: Store) -> set[str]:
    return {row[0] for row in store.read_now(lambda s: rows.run(s, "SELECT DISTINCT model FROM chunk_vector").all())}


async def test_everything_is_embedded_anew_while_people_search_and_nobody_notices(
    sqlite_store: Store, open_knowledge: Opened, service: EmbeddingServer, tmp_path: Path
) -> None:
    first = await open_knowledge(sqlite_store)
    await fill(first, 20)
    await first.stop()
    service.open.clear()
    chosen = choice(service)
    second = await open_knowledge(sqlite_store, embedder=chosen, secrets={"TOKEN": KEY})
    searching = Searching(second)
    await asyncio.wait_for(service.waiting.wait(), 60)
    await searching.more()
    added = await second.add(document("new", "Rule 99 is about unicorns.", title="new"))
    assert (await second.search("unicorns", IN_GENERAL)).passages[0].title == "new"
    assert await second.forget(added.document_id)
    assert not (await second.search("unicorns", IN_GENERAL)).passages
    assert (await second.status()).index == "ready"
    assert "words-64" in models(sqlite_store)
    service.failing.append((503, {"retry-after": "0"}))
    service.open.set()
    assert await second.settled(60)
    await searching.more()
    await searching.end()
    assert searching.gaps == []
    assert models(sqlite_store) == {chosen.name}
    status = await second.status()
    assert (status.chunks, status.embedded, status.indexed, status.model) == (20, 20, 20, chosen.name)
    await second.stop()
    assert await differences(sqlite_store, tmp_path / "knowledge") == []


async def test_a_service_that_is_away_leaves_the_model_before_in_use(
    sqlite_store: Store, open_knowledge: Opened
) -> None:
    first = await open_knowledge(sqlite_store)
    await fill(first)
    await first.stop()
    away = EmbeddingChoice(provider="openai", model="m-1", dimension=64, url="http://127.0.0.1:9")
    second = await open_knowledge(sqlite_store, embedder=away)
    found = await second.search("topic3", IN_GENERAL)
    assert (found.ways, found.passages[0].title) == (("meaning", "words"), "d3")


async def test_an_index_is_built_anew_while_people_search_and_nobody_notices(
    sqlite_store: Store, open_knowledge: Opened, tmp_path: Path
) -> None:
    knowledge = await open_knowledge(sqlite_store)
    await fill(knowledge, 20)
    searching = Searching(knowledge)
    for _ in range(3):
        await knowledge.rebuild()
        assert await knowledge.settled(60)
        await searching.more()
    await searching.end()
    assert searching.gaps == []
    await knowledge.stop()
    assert await differences(sqlite_store, tmp_path / "knowledge") == []
