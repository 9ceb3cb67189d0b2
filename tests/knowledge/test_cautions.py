"""What may mislead is said to: it is old, or a newer version of it is there."""

from __future__ import annotations

from datetime import date

from knowledge.engine.cautions import Dated, cautions

TODAY = date(2026, 3, 2)


def test_what_is_older_than_a_year_is_said_to_be() -> None:
    old, young = date(2024, 5, 1), date(2025, 5, 1)
    assert cautions([Dated("a", "Refunds", old), Dated("b", "Parking", young)], TODAY) == (
        "“Refunds” is of 1 May 2024: it may be out of date.",
    )
    assert cautions([Dated("b", "#general", old, is_chat=True)], TODAY) == ()


def test_an_older_version_of_the_same_is_said_to_be() -> None:
    older, newer = date(2026, 1, 1), date(2026, 2, 1)
    found = [Dated("a", "Refunds", older), Dated("b", "refunds ", newer), Dated("a", "Refunds", older)]
    told = ("There are several versions of “Refunds”: of 1 January 2026, and newer of 1 February 2026.",)
    assert cautions(found, TODAY) == told
    assert cautions([found[0], found[2]], TODAY) == ()
    assert cautions(found, TODAY, about={"a"}) == told
    assert cautions(found, TODAY, about={"b"}) == ()
