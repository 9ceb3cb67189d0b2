"""A newcomer asks, and the shipped handbook answers: the real model, in its own process, on the real Chroma."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from kernel.clock import SystemClock, SystemIds
from kernel.config import ROOT
from kernel.store import open_store
from knowledge.engine.audience import TEAM, Audience
from knowledge.engine.indexer import Pace
from knowledge.engine.knowledge import Knowledge

HANDBOOK = ROOT / "charter" / "knowledge"
TEAM_ONLY = Audience(grants=frozenset({TEAM}))
FINANCE = Audience(grants=frozenset({TEAM, "role:finance"}))

QUESTIONS = [
    ("What is our refund policy?", "Refunds"),
    ("How long until a customer sees their money again?", "Refunds"),
    ("Can I buy an office chair and get reimbursed?", "Expenses and travel"),
    ("am I allowed to fly business class", "Expenses and travel"),
    ("the site is down, what do I do first?", "Incident process"),
    ("what does ERR-2007 mean", "Incident process"),
    ("How much extra money do I get when I am on pager duty?", "On-call"),
    ("how do I rotate the payment key", "On-call"),
    ("Where is customer data stored?", "Product facts"),
    ("how much does the Business plan cost", "Product facts"),
    ("how many vacation days do I have", "Working hours and holidays"),
    ("I feel sick today, whom do I tell?", "Working hours and holidays"),
    ("who gives me my laptop", "Your first week"),
]
OFF_TOPIC = [
    "Who won the football world cup in 1974?",
    "recipe for banana bread",
    "What is the boiling point of tungsten?",
    "write a poem about autumn leaves",
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def handbook(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> AsyncIterator[Knowledge]:
    folder = tmp_path_factory.mktemp("handbook")
    store = open_store(f"sqlite:///{shutil.copy(sqlite_template, folder / 'bosun.sqlite3')}")
    knowledge = Knowledge(store, SystemClock(), SystemIds(), folder / "knowledge", pace=Pace(settle=0.0), patience=60.0)
    await knowledge.start()
    report = await knowledge.sync_folder(HANDBOOK)
    assert not report.refused
    assert report.added >= 6
    assert await knowledge.settled(90)
    yield knowledge
    await knowledge.stop()
    store.close()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("question", "title"), QUESTIONS)
async def test_the_handbook_answers(handbook: Knowledge, question: str, title: str) -> None:
    found = await handbook.search(question, TEAM_ONLY)
    assert found.ways == ("meaning", "words")
    assert found.passages, found.searched
    assert found.passages[0].title == title, [(p.title, p.headings, p.score) for p in found.passages]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("question", OFF_TOPIC)
async def test_the_handbook_does_not_pretend(handbook: Knowledge, question: str) -> None:
    found = await handbook.search(question, TEAM_ONLY)
    assert not found.passages, [(p.title, p.headings, p.score) for p in found.passages]


@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_for_finance_only_is_withheld_from_the_others(handbook: Knowledge) -> None:
    question = "An invoice has new bank details, may I use them?"
    shown = await handbook.search(question, FINANCE)
    assert shown.passages[0].title == "Payment runs"
    hidden = await handbook.search(question, TEAM_ONLY)
    assert "Payment runs" not in {passage.title for passage in hidden.passages}
    assert hidden.withheld
