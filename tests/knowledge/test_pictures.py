"""Pictures are looked at by the model where there is one: found in words, by their readers, counted, and limited."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agents.engine.anthropic_model import AnthropicModel
from agents.engine.eyes import AGENT, ModelEyes
from kernel.clock import FixedClock
from kernel.errors import ModelBusy, ModelError
from kernel.store import Store, meters
from kernel.types import Place
from knowledge.engine.knowledge import Knowledge
from knowledge.engine.readable import NotReadable
from knowledge.engine.reading import NoEyes, Reader
from knowledge.upload import upload
from tests.fakes.anthropic import FakeAnthropic, Reply, Tokens
from tests.knowledge import files
from tests.knowledge.conftest import Opened
from tests.knowledge.team import ADA, BEN, DM, FINANCE, IN_FINANCE, IN_GENERAL, Audience


@dataclass
class Looking:
    """A knowledge base whose pictures are looked at by a model on a fake service."""

    knowledge: Knowledge
    fake: FakeAnthropic
    eyes: ModelEyes
    most: int = 200

    async def take(self, name: str = "board.png", place: Place = FINANCE) -> None:
        """Ada hands over a picture."""
        reader = self.knowledge.files
        document = await upload(name, files.PNG, reader, key=name, person=ADA, author=ADA, place=place)
        await self.knowledge.add(document)


@pytest.fixture
async def looking(sqlite_store: Store, open_knowledge: Opened, clock: FixedClock) -> AsyncIterator[Looking]:
    async with FakeAnthropic() as fake:
        model = AnthropicModel(api_key=fake.key, base_url=fake.url, sleep=_no_sleep)
        made: list[Looking] = []
        eyes = ModelEyes(
            model,
            sqlite_store,
            clock,
            name=lambda: "claude-sonnet-5-5",
            most=lambda: made[0].most,
            channel=lambda place: f"#{place.channel}",
        )
        made.append(Looking(await open_knowledge(sqlite_store, files=Reader(eyes)), fake, eyes))
        yield made[0]
        await model.close()


async def _no_sleep(_seconds: float) -> None:
    return None


async def test_a_picture_is_found_by_what_is_on_it_and_by_those_who_may_see_it(
    looking: Looking, sqlite_store: Store, clock: FixedClock
) -> None:
    looking.fake.queue(Reply("A whiteboard: **ship on Friday**.", tokens=Tokens(input_tokens=1500, output_tokens=100)))
    await looking.take()
    [request] = looking.fake.requests
    image, question = request["messages"][0]["content"]
    assert image["source"]["media_type"] == "image/png"
    assert question["type"] == "text"
    found = (await looking.knowledge.search("whiteboard ship on Friday", IN_FINANCE)).passages
    assert found[0].text.startswith("A picture, as the language model describes it:")
    assert (found[0].title, found[0].origin, found[0].author) == ("board.png", "outside_text", "Ada")
    for others in (IN_GENERAL, Audience.of_person(BEN)):
        assert not (await looking.knowledge.search("whiteboard ship on Friday", others)).passages

    def cost(**of: str) -> float:
        return float(sqlite_store.read_now(lambda session: meters.cost(session, clock.now(), of)))

    assert cost(agent=AGENT, person="ada", channel="#finance") == pytest.approx((1500 * 2 + 100 * 10) / 1_000_000)
    assert cost(person="ben") == 0


async def test_in_a_direct_message_a_picture_is_the_persons_own(looking: Looking) -> None:
    looking.fake.queue(Reply("A receipt: 40 EUR for paper."))
    await looking.take(place=DM)
    assert (await looking.knowledge.search("receipt for paper", Audience.of_person(ADA))).passages
    assert not (await looking.knowledge.search("receipt for paper", Audience.of_person(BEN))).passages


@pytest.mark.parametrize(
    ("reply", "error", "said"),
    [
        (Reply(stop="refusal", detail="no"), NotReadable, "The language model declined to describe the picture."),
        (Reply(status=400, detail="Could not process image"), ModelError, "Could not process image"),
        (Reply(status=529), ModelBusy, "busy"),
    ],
)
async def test_a_picture_that_is_not_described_is_refused_with_the_reason(
    looking: Looking, reply: Reply, error: type[Exception], said: str
) -> None:
    looking.fake.queue(reply, reply, reply)
    with pytest.raises(error, match=said):
        await looking.take()


async def test_no_more_pictures_are_looked_at_than_the_charter_allows_in_a_day(
    looking: Looking, clock: FixedClock
) -> None:
    looking.most = 1
    await looking.take()
    with pytest.raises(ModelBusy, match="1 were looked at today"):
        await looking.take("other.png")
    assert len(looking.fake.requests) == 1
    clock.advance(days=1)
    await looking.take("other.png")
    looking.most = 0
    with pytest.raises(ModelBusy, match="none are looked at"):
        await looking.take("third.png")


async def test_a_picture_that_nobody_could_look_at_is_read_once_there_is_a_model(
    looking: Looking, tmp_path: Path
) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "board.png").write_bytes(files.PNG)
    eyes, looking.knowledge.files.eyes = looking.eyes, None
    report = await looking.knowledge.sync_folder(folder)
    assert report.refused[0].reason == str(NoEyes())
    looking.knowledge.files.eyes = eyes
    looking.fake.queue(Reply(status=529), Reply(status=529), Reply(status=529))
    assert (await looking.knowledge.sync_folder(folder)).refused
    looking.fake.queue(Reply("A whiteboard: ship on Friday."))
    assert (await looking.knowledge.sync_folder(folder)).added == 1
    seen = len(looking.fake.requests)
    assert (await looking.knowledge.sync_folder(folder)).unchanged == 1
    assert len(looking.fake.requests) == seen  # what did not change is not looked at again
