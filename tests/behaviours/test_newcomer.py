"""What a newcomer sees in the first ten minutes: the starter charter, no tokens, no key, invented people."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.behaviours.chat import Said, Spot
from tests.behaviours.web_chat import WebChat
from tests.behaviours.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

GENERAL = Spot(channel="general")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Bosun as `make up` starts it."""
    made = World(Path(tmp_path_factory.mktemp("newcomer")), alone=True)
    await made.open()
    yield made
    await made.close()


async def test_a_question_is_answered_with_passages_and_sources_that_open(world: World, web: WebChat) -> None:
    await world.indexed()
    spot = await web.ask("ann", "How long do refunds take?")

    async def answered() -> Said | None:
        said = [one for one in await web.answers(spot) if "sources" in one.raw]  # what is still streamed has none
        return said[0] if said else None

    said = await world.until(answered)
    assert "No language model is configured" in said.text
    sources = said.raw["sources"]
    assert any(source["title"].startswith("Refunds") for source in sources)
    page = await web.browser("ann").http.get(sources[0]["url"])
    assert page.status_code == 200
    assert sources[0]["title"].partition(" › ")[0] in page.text


async def test_the_prompts_of_the_charter_lead_to_a_card_that_another_persona_approves(
    world: World, web: WebChat
) -> None:
    browser = web.browser("ann")
    boot = await browser.get("/api/boot")
    assert boot["demo"] is True
    message = next(one["message"] for one in boot["prompts"] if "queue_payment" in one["message"])
    spot = Spot(channel="general", root=await web.say("ann", f"@bosun {message}", GENERAL))
    card = await web.card(spot, "Queue a payment")
    await browser.post("/api/persona", {"person": "bo"})
    await web.click("ann", card, "Approve")  # in the browser that ann began in: it is Bo's now
    await web.answer(spot, "420.00 EUR to ACME is on finance's payment list")
    await browser.post("/api/persona", {"person": "ann"})
    await web.answer(spot, "Approved by Bo")


async def test_the_knowledge_page_lists_the_documents_and_each_opens(world: World, web: WebChat) -> None:
    await world.indexed()
    await web.answer(await web.ask("ann", "remember that the lift carries 8 people"), "Remembered")
    page = await web.browser("ann").page("/knowledge")
    assert re.search(r"What I was told to remember(?:(?!</tr>).)*as it is told", page)
    refunds = re.search(r"href='(/documents/\w+)'>Refunds</a>", page)
    assert refunds is not None
    assert "Monthly plans" in await web.browser("ann").page(refunds[1])


async def test_a_payment_asked_for_in_plain_words_is_shown_as_a_call_that_leads_to_a_card(web: WebChat) -> None:
    spot = await web.ask("ann", "please pay 200 to Acme")
    shown = await web.answer(spot, "No language model is configured", "queue_payment", "payee=")
    assert shown.raw["author"]["agent"] == "Finance"
    await web.say("ann", 'queue_payment payee="Acme" amount=200 currency=EUR reference="Order 5" why="Desks"', spot)
    await web.click("bo", await web.card(spot, "Queue a payment of 200.00 EUR to Acme"), "Approve")
    await web.answer(spot, "200.00 EUR to Acme is on finance's payment list")


async def test_a_call_that_is_written_out_is_made_whoever_is_addressed(web: WebChat) -> None:
    spot = await web.ask(
        "ann", 'writer: queue_payment payee="Acme" amount=5 currency=EUR reference="Order 6" why="Pens"'
    )
    await web.click("bo", await web.card(spot, "Queue a payment of 5.00 EUR to Acme"), "Approve")
    await web.answer(spot, "5.00 EUR to Acme is on finance's payment list")


async def test_what_newcomers_say_first_tells_them_what_can_be_said(web: WebChat) -> None:
    for said, known in (("hi", "`home`"), ("What can you do?", "`tools`"), ("help", "help approvals")):
        spot = await web.ask("ann", said)
        answer = await web.answer(spot, known.strip("`"))
        assert "What I found" not in answer.text
    spot = await web.ask("ann", "help workflows")
    await web.answer(spot, "dry-run digest")
    await web.ask("ann", "What needs my approval?")
    await web.notice("ann", "Nothing waits for you")


async def test_the_digest_can_be_run_and_says_what_was_done(web: WebChat) -> None:
    spot = await web.ask(
        "ann", 'finance: queue_payment payee="ACME" amount=9 currency=EUR reference="Invoice 9" why="Tea"'
    )
    await web.click("bo", await web.card(spot, "Invoice 9"), "Approve")
    await web.answer(spot, "9.00 EUR to ACME is on finance's payment list")
    await web.ask("dee", "run digest")
    digest = await web.answer(GENERAL, "Digest of #general", "Invoice 9")
    assert "Approved by Bo" in digest.text


async def test_the_lists_of_what_waits_follow_the_persona(world: World, web: WebChat) -> None:
    spot = await web.ask(
        "ann", 'finance: queue_payment payee="ACME" amount=7 currency=EUR reference="Invoice 7" why="Ink"'
    )
    card = await web.card(spot, "Invoice 7")
    waiting = {person: (await web.browser(person).get("/api/home"))["waiting"] for person in ("ann", "bo", "cy", "dee")}
    assert {person: len(found) for person, found in waiting.items()} == {"ann": 0, "bo": 1, "cy": 1, "dee": 0}
    await web.click("cy", card, "Approve")
    await web.answer(spot, "7.00 EUR to ACME is on finance's payment list")
