"""Passages that may mislead are said to."""

from __future__ import annotations

from datetime import UTC, datetime

from knowledge.engine.cautions import cautions
from knowledge.engine.documents import Passage

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def passage(document: str, title: str, at: datetime | None, kind: str = "file") -> Passage:
    return Passage.model_validate(
        {
            "document_id": document,
            "number": 1,
            "title": title,
            "text": "Words.",
            "origin": "member_text",
            "kind": kind,
            "written_at": at,
            "score": 0.5,
        }
    )


def test_what_is_older_than_a_year_is_said_to_be() -> None:
    old, young = datetime(2024, 5, 1, tzinfo=UTC), datetime(2025, 5, 1, tzinfo=UTC)
    assert cautions([passage("a", "Refunds", old), passage("b", "Parking", young)], NOW) == (
        "“Refunds” is of 1 May 2024: it may be out of date.",
    )
    assert cautions([passage("a", "Refunds", None), passage("b", "#general", old, "chat")], NOW) == ()


def test_an_older_version_of_the_same_is_said_to_be() -> None:
    older, newer = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    found = [passage("a", "Refunds", older), passage("b", "refunds ", newer), passage("a", "Refunds", older)]
    assert cautions(found, NOW) == (
        "There are several versions of “Refunds”: of 1 January 2026, and newer of 1 February 2026.",
    )
    assert cautions([found[0], found[2]], NOW) == ()
