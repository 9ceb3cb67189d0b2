"""Files of every format are read; broken, locked, huge and lying ones are refused with the reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kernel.store import Store
from knowledge.engine.chunking import cut
from knowledge.engine.knowledge import Knowledge
from knowledge.engine.readable import NotReadable
from knowledge.engine.reading import Behalf, NoEyes, Reader
from tests.knowledge import files
from tests.knowledge.conftest import Opened
from tests.knowledge.team import IN_GENERAL


class Sees:
    """Eyes that see the same on every picture."""

    async def describe(self, picture: bytes, media_type: str, behalf: Behalf) -> str:
        return f"A whiteboard ({media_type}): ship on Friday."


@pytest.mark.parametrize(
    ("name", "data", "title", "lines"),
    [
        ("plan.pdf", files.pdf("We sail at dawn.", "Bring rope."), "", ["We sail at dawn.\fBring rope."]),
        ("plan.docx", files.word("Plan", "We sail at dawn."), "", ["# Plan", "We sail at dawn."]),
        (
            "prices.xlsx",
            files.excel(("Plans", [["Plan", "Price"], ["Business", 49.0]])),
            "",
            ["# Plans", "| Business | 49 |"],
        ),
        (
            "goals.pptx",
            files.powerpoint("Goals", "Grow", "Say it slowly."),
            "",
            ["# Slide 1: Goals", "- Grow", "Notes: Say it slowly."],
        ),
        ("a.csv", b"name;city\nJo;Bern\n", "", ["| name | city |", "| Jo | Bern |"]),
        ("a.json", b'[{"name": "Jo", "home": {"city": "Bern"}}]', "", ["name: Jo", "home.city: Bern"]),
        ("a.jsonl", b'{"a": 1}\n{"a": 2}\n', "", ["a: 1", "a: 2"]),
        (
            "a.eml",
            files.mail("The offer", "It is 40 EUR."),
            "The offer",
            ["From: jo@supplier.test", "It is 40 EUR.", "Attached: offer.pdf"],
        ),
        (
            "a.html",
            (
                b"<title>Wiki</title><nav>Home</nav><h2>Refunds</h2><p>Paid <b>in May</b>.<script>x()</script>"
                b"<ul><li>one<li>two</ul><table><tr><th>A<tr><td>1</table>"
            ),
            "Wiki",
            ["## Refunds", "Paid in May.", "- one\n- two", "| A |\n|---|\n| 1 |"],
        ),
        ("a.png", files.PNG, "", ["A whiteboard (image/png): ship on Friday."]),
    ],
)
async def test_a_file_gives_its_text(name: str, data: bytes, title: str, lines: list[str]) -> None:
    parsed = await Reader(Sees()).read(name, data)
    assert parsed.title == title
    for line in lines:
        assert line in parsed.text
    assert "Home" not in parsed.text
    assert "x()" not in parsed.text


@pytest.mark.parametrize(
    ("name", "make", "reason"),
    [
        ("a.pdf", lambda: b"<!doctype html><title>Sign in</title>", "It is not a PDF, whatever its name says."),
        ("a.pdf", lambda: files.pdf("Locked.", encrypted=True), "It is protected by a password."),
        ("a.pdf", lambda: files.pdf("Whole.")[:120], "It is damaged: no PDF reader could open it."),
        ("a.pdf", lambda: files.pdf(""), "There is no text in it, only pictures."),
        ("a.docx", lambda: b"\xd0\xcf\x11\xe0" + b"\0" * 600, "It is protected by a password"),
        ("a.docx", lambda: b"PK\x03\x04 nothing", "It is not a Word document, whatever its name says."),
        ("a.docx", files.bomb, "It would unpack to far more than it is: it looks like a bomb."),
        ("a.xlsx", files.many_cells, "It has more than 200,000 filled cells."),
        ("a.xlsx", lambda: files.word("x", "y"), "It is an archive, and not an Excel workbook."),
        ("a.pptx", lambda: files.package({"ppt/presentation.xml": "<broken"}), "It is damaged"),
        ("a.html", lambda: b"<form><input type=password></form>Sign in", "It is a login page."),
        ("a.json", lambda: b"{not json", "It is not JSON."),
        ("a.json", lambda: b"[" * 100_000, "It is nested too deeply."),
        ("a.csv", lambda: b"1,2,3,4,5,6,7,8,9,10\n" * 25_000, "It has more than 200,000 cells."),
        ("a.csv", lambda: b"<!DOCTYPE html><title>Sign in</title>", "It is a web page, whatever its name says."),
        ("a.md", lambda: b"\n<!doctype html><title>Sign in</title>", "It is a web page, whatever its name says."),
        ("a.eml", lambda: b"just words", "It is not an e-mail, whatever its name says."),
        ("a.png", lambda: b"GIF89a", "It is not a picture of this kind, whatever its name says."),
        ("a.mp4", lambda: b"x", ".mp4 files are not read."),
    ],
)
async def test_what_cannot_be_read_is_refused_with_the_reason(
    name: str, make: Callable[[], bytes], reason: str
) -> None:
    with pytest.raises(NotReadable) as refused:
        await Reader(Sees()).read(name, make())
    assert refused.value.message.startswith(reason)


async def test_pictures_wait_for_somebody_who_can_see() -> None:
    with pytest.raises(NoEyes, match="It is a picture, and no language model is configured that could look at it"):
        await Reader().read("a.png", files.PNG)


def test_every_page_of_a_pdf_begins_a_passage() -> None:
    chunks = cut("First.\n\nMore.\fSecond.", "pages", "Plan")
    assert [(chunk.headings, chunk.text) for chunk in chunks] == [
        (("Page 1",), "First.\n\nMore."),
        (("Page 2",), "Second."),
    ]


async def test_one_bad_file_stops_no_other(sqlite_store: Store, open_knowledge: Opened, tmp_path: Path) -> None:
    knowledge: Knowledge = await open_knowledge(sqlite_store)
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.pdf").write_bytes(b"<html>Please sign in")
    (folder / "b.xlsx").write_bytes(files.excel(("Plans", [["Plan", "Price"], ["Business", 49]])))
    report = await knowledge.sync_folder(folder)
    assert report.summary == "1 added, 0 changed, 0 unchanged, 0 removed, 1 not read"
    assert [(each.key, each.reason) for each in await knowledge.failures()] == [
        ("a.pdf", "It is not a PDF, whatever its name says.")
    ]
    assert (await knowledge.search("price of the Business plan", IN_GENERAL)).passages[0].headings == ("Plans",)
    (folder / "a.pdf").write_bytes(files.pdf("Refunds are paid in May."))
    assert (await knowledge.sync_folder(folder)).added == 1
    assert await knowledge.failures() == []
    found = (await knowledge.search("when are refunds paid", IN_GENERAL)).passages[0]
    assert (found.title, found.headings) == ("a", ("Page 1",))


async def test_an_unchanged_file_is_not_even_opened(
    sqlite_store: Store, open_knowledge: Opened, tmp_path: Path
) -> None:
    knowledge: Knowledge = await open_knowledge(sqlite_store)
    folder = tmp_path / "docs"
    folder.mkdir()
    path = folder / "a.csv"
    path.write_bytes(b"name,city\nJo,Bern\n")
    assert (await knowledge.sync_folder(folder)).added == 1
    knowledge.files.read = None  # type: ignore[method-assign,assignment]  # opening anything would fail now
    report = await knowledge.sync_folder(folder)
    assert (report.unchanged, report.refused) == (1, ())
