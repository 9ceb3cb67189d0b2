"""A question gets one answer, where it was asked."""

import pytest

from tests.behaviours.chat import Chat, Spot
from tests.behaviours.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_mention_gets_one_answer_in_its_thread_and_a_sign_before(world: World, chat: Chat) -> None:
    before = len(await chat.answers(Spot(channel="general")))
    spot = await chat.ask("ann", "hello there")
    await chat.answer(spot, "You said: hello there")
    await world.quiet()
    assert len(await chat.answers(spot)) == 1
    assert "eyes" in await chat.reactions(spot)
    assert len(await chat.answers(Spot(channel="general"))) == before
