"""How well searches find, with the shipped model and the whole stack."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.retrieval import own
from benchmarks.retrieval.__main__ import measure
from benchmarks.retrieval.collection import read
from benchmarks.retrieval.figures import ndcg, recall
from knowledge.engine.embedding import MINILM, WORDS
from knowledge.engine.ranking import Ranked, compared, fuse, with_windows


async def test_questions_about_the_documentation_find_the_right_page(tmp_path: Path) -> None:
    row = await measure(read(own.write(tmp_path)), tmp_path, MINILM)
    assert row.documents >= 15
    assert row.ndcg >= 0.85
    assert row.recall >= 0.92


async def test_a_message_that_only_its_neighbours_explain_is_found(tmp_path: Path) -> None:
    """The answer shares no word with the question; the message before it does."""
    folder = tmp_path / "chat"
    (folder / "qrels").mkdir(parents=True)
    said = [
        "Does anybody know the wifi password of the lab?",
        "It is swordfish7.",
        "Thanks!",
        "Lunch?",
        "Yes, at noon.",
    ]
    said += [f"Unrelated remark number {number} about topic {number}." for number in range(30)]
    about = {"thread": "t", "author": "Ada", "date": "2026-03-02T09:00:00+00:00"}
    corpus = [{"_id": str(n), "title": "", "text": text, "metadata": about} for n, text in enumerate(said)]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)), "utf-8")
    (folder / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": "wifi password of the lab"}), "utf-8")
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\t1\t1\n", "utf-8")
    row = await measure(read(folder), tmp_path, WORDS)
    assert row.recall == 1.0
    assert row.ndcg > 0.6


def test_figures_are_those_of_trec_eval() -> None:
    assert ndcg(["a", "b", "c"], {"b": 1}) == pytest.approx(0.6309, abs=1e-4)
    assert ndcg(["a", "b"], {"a": 2, "b": 1}) == 1.0
    assert recall(["a", "x"], {"a": 1, "b": 1}) == 0.5


def test_a_message_counts_half_alone_and_half_in_its_window() -> None:
    ranked = [Ranked(1, 0.8), Ranked(2, 0.4), Ranked(11, 0.2), Ranked(12, 0.9), Ranked(3, 0.5)]
    assert with_windows(ranked, {11: 1, 12: 2}) == [Ranked(2, 0.65), Ranked(1, 0.5), Ranked(3, 0.5)]


def test_what_was_compared_word_by_word_stays_before_the_rest() -> None:
    ranked = fuse({1: 0.9, 2: 0.8, 3: 0.7}, {}, 0.0)
    assert [entry.id for entry in compared(ranked, {1: 0.1, 2: 0.9})] == [2, 1, 3]
