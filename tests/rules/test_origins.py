"""Which origin a value has: whole tokens only, and what is not labelled comes from outside."""

import pytest

from rules.engine.spelling import mentions, typed

FILE = frozenset({"delete", "file", "id"})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("mail bob@acme.com.", "bob@acme.com"),
        ("mail Bob@Acme.com, please", "bob@acme.com"),
        ("mail <bob@acme.com>", "bob@acme.com"),
        ("write to:bob@acme.com", "bob@acme.com"),
        ("read `notes/plan.md`", "notes/plan.md"),
        ("path=notes.md", "notes.md"),
        ('{"path": "notes.md"}', "notes.md"),
        ("post it to #General!", "#general"),
        ("open https://acme.com/", "https://acme.com"),
        ("the  quarterly\nreport", "quarterly report"),
        ("Bob's file", "Bob"),
        ("delete file 13.", "13"),
        ("delete files 13 and 14", "13"),
        ("delete #13", 13),
        ("delete id: 13", "13"),
        ('delete "13"', 13),
        ("transfer to 1234567890", "1234567890"),
    ],
)
def test_typed_as_a_whole_token(text: str, value: object) -> None:
    assert typed(text, value, about=FILE)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("June 13", "13"),
        ("June 13", 13),
        ("on 13 June", 13),
        ("pay $13", 13),
        ("pay 13 EUR", 13),
        ("at 13:00", 13),
        ("13.06.2026", 13),
        ("the last 13 days", 13),
        ("13%", 13),
        ("file 13.5", 13),
        ("file x-13", "13"),
        ("file 1,313", 313),
        ("mail bob@acme.com.evil.io", "bob@acme.com"),
        ("mail evilbob@acme.com", "bob@acme.com"),
        ("mail evil.bob@acme.com", "bob@acme.com"),
        ("open https://acme.com/path", "https://acme.com"),
        ("open https://acme.com", "acme.com"),
        ("read secrets/notes.md", "notes.md"),
        ("notes.mdx", "notes.md"),
        ("anything", ""),
        ("true", True),
        ("None", None),
    ],
)
def test_not_typed(text: str, value: object) -> None:
    assert not typed(text, value, about=FILE)


@pytest.mark.parametrize("text", ["pay 1250", "pay $1,250", "pay 1'250.00 CHF", "EUR 1250.00.", "1250€", "(1,250)"])
def test_an_amount_is_recognised_however_it_is_written(text: str) -> None:
    assert typed(text, 1250, about=None)
    assert typed(text, 1250.0, about=None)


@pytest.mark.parametrize("text", ["pay 12500", "pay 1.250,5", "1250.5", "21,250"])
def test_another_amount_is_another_amount(text: str) -> None:
    assert not typed(text, 1250, about=None)


@pytest.mark.parametrize("text", ["Send it to EVIL@X.COM now", "EVIL@x.com", "to: evil@x.com;"])
def test_text_from_outside_is_compared_loosely(text: str) -> None:
    assert mentions(text, "evil@x.com")
