"""A folder of files and what is known of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kernel.store import Store
from kernel.types import Person, Place
from knowledge.engine.audience import channel, person
from knowledge.engine.formats.plain import decode
from knowledge.engine.knowledge import Knowledge
from knowledge.engine.readable import MAX_BYTES, NotReadable
from knowledge.engine.reading import Reader, suffix_of
from knowledge.upload import upload
from tests.knowledge.conftest import Opened
from tests.knowledge.team import ADA, DM, GENERAL, GUEST, IN_GENERAL, SHARED, Audience


@pytest.fixture
async def knowledge(sqlite_store: Store, open_knowledge: Opened) -> Knowledge:
    return await open_knowledge(sqlite_store)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "docs"
    made.mkdir()
    (made / "refunds.md").write_text("# Refunds\n\nPaid within five days.\n", "utf-8")
    (made / "notes.txt").write_text("The printer is on the second floor.\n", "utf-8")
    return made


async def test_a_folder_is_followed(knowledge: Knowledge, folder: Path) -> None:
    first = await knowledge.sync_folder(folder)
    assert (first.added, first.changed, first.unchanged, first.forgotten) == (2, 0, 0, 0)
    again = await knowledge.sync_folder(folder)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 2)
    (folder / "refunds.md").write_text("# Refunds\n\nPaid within ten days.\n", "utf-8")
    (folder / "notes.txt").unlink()
    last = await knowledge.sync_folder(folder)
    assert (last.changed, last.forgotten) == (1, 1)
    assert last.summary == "0 added, 1 changed, 0 unchanged, 1 removed"
    found = await knowledge.search("refunds", IN_GENERAL)
    assert [(p.title, p.text, p.origin) for p in found.passages] == [
        ("Refunds", "Paid within ten days.", "member_text")
    ]
    assert not (await knowledge.search("printer floor", IN_GENERAL)).passages


async def test_bad_files_are_listed_and_stop_nothing(knowledge: Knowledge, folder: Path) -> None:
    (folder / "report.pdf").write_bytes(b"%PDF-1.7\n\0\1\2")
    (folder / "picture.md").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    (folder / "empty.md").write_text("  \n\n", "utf-8")
    (folder / "readers.md").write_text("---\nreaders: [everybody]\n---\nSecret.\n", "utf-8")
    (folder / "broken.md").write_text("---\nreaders: [team\n---\nSecret.\n", "utf-8")
    (folder / "README").write_text("no extension", "utf-8")
    with (folder / "huge.txt").open("wb") as huge:
        huge.truncate(MAX_BYTES + 1)
    (folder / "outside.md").symlink_to("/etc/passwd")
    (folder / ".hidden.md").write_text("hidden", "utf-8")
    (folder / "sources.yaml").write_text("[]", "utf-8")
    report = await knowledge.sync_folder(folder)
    assert report.added == 2
    assert {entry.key: entry.reason for entry in report.refused} == {
        "README": "A file without an extension is not read.",
        "broken.md": "Its front matter is not YAML.",
        "empty.md": "It is empty.",
        "huge.txt": "It is larger than 20 MB.",
        "outside.md": "It is a link that leads out of the folder.",
        "picture.md": "It is not text.",
        "readers.md": "Its front matter names 'everybody' as a reader.",
        "report.pdf": "It is damaged: no PDF reader could open it.",
    }


async def test_a_file_that_becomes_unreadable_no_longer_answers(knowledge: Knowledge, folder: Path) -> None:
    await knowledge.sync_folder(folder)
    (folder / "refunds.md").write_bytes(b"\0\0\0")
    report = await knowledge.sync_folder(folder)
    assert [entry.key for entry in report.refused] == ["refunds.md"]
    assert report.forgotten == 1
    found = await knowledge.search("refunds", IN_GENERAL)
    assert "refunds.md" not in {each.key for each in found.passages}


async def test_a_folder_that_is_away_forgets_nothing(knowledge: Knowledge, folder: Path, tmp_path: Path) -> None:
    await knowledge.sync_folder(folder)
    folder.rename(tmp_path / "elsewhere")
    report = await knowledge.sync_folder(folder)
    assert report.forgotten == 0
    assert "There is no folder" in report.refused[0].reason
    assert (await knowledge.search("refunds", IN_GENERAL)).passages


async def test_front_matter_names_title_and_readers(knowledge: Knowledge, folder: Path) -> None:
    text = "---\ntitle: Pay bands\nreaders: [role:finance]\n---\nLevel three earns more than level two.\n"
    (folder / "pay.md").write_text(text, "utf-8")
    await knowledge.sync_folder(folder)
    assert not (await knowledge.search("what does level three earn", IN_GENERAL)).passages
    finance = Audience.of_person(ADA, roles=["finance"])
    assert (await knowledge.search("what does level three earn", finance)).passages[0].title == "Pay bands"


@pytest.mark.parametrize(
    "front",
    [
        "readers: [everybody]\n---\n",
        "readers: [role:finance\n---\n",
        "reader: role:finance\n---\n",
        "readers: [role:finance]\nsince: 2026-13-45\n---\n",
        "readers: [role:finance]\n",
        f"readers: [role:finance]\nmore: {'[' * 3000}\n---\n",
    ],
)
async def test_a_file_whose_front_matter_is_refused_no_longer_answers_and_never_more_people(
    knowledge: Knowledge, folder: Path, front: str
) -> None:
    text = "Level three earns more than level two.\n"
    (folder / "pay.md").write_text(f"---\nreaders: [role:finance]\n---\n{text}", "utf-8")
    await knowledge.sync_folder(folder)
    (folder / "pay.md").write_text(f"---\n{front}{text}", "utf-8")
    report = await knowledge.sync_folder(folder)
    assert [entry.key for entry in report.refused] == ["pay.md"]
    for audience in (IN_GENERAL, Audience.of_person(ADA, roles=["finance"])):
        found = await knowledge.search("what does level three earn", audience)
        assert "pay.md" not in {passage.key for passage in found.passages}


@pytest.mark.parametrize("front", ["Readers: [role:finance]\n---\n", "READERS : role:finance\n...\n"])
async def test_front_matter_counts_however_it_is_written(knowledge: Knowledge, folder: Path, front: str) -> None:
    (folder / "pay.md").write_text(f"---\n{front}Level three earns more than level two.\n", "utf-8")
    await knowledge.sync_folder(folder)
    assert not (await knowledge.search("what does level three earn", IN_GENERAL)).passages
    finance = Audience.of_person(ADA, roles=["finance"])
    assert (await knowledge.search("what does level three earn", finance)).passages[0].key == "pay.md"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("Größe\r\nzwei\r".encode(), "Größe\nzwei\n"),
        ("Größe".encode("utf-8-sig"), "Größe"),
        ("Größe".encode("utf-16"), "Größe"),
        (b"bell \x07 and escape \x1b[31m", "bell  and escape [31m"),
        (b"<!doctype html><p>Only its name says Markdown</p>", "<!doctype html><p>Only its name says Markdown</p>"),
    ],
)
def test_texts_are_decoded(data: bytes, text: str) -> None:
    assert decode(data) == text


def test_older_encodings_are_recognised() -> None:
    text = "Die Rückerstattung erfolgt innerhalb von fünf Tagen, außer an Feiertagen. Schöne Grüße aus Zürich! " * 4
    assert decode(text.encode("latin-1")) == text


@pytest.mark.parametrize("data", [b"", b" \n", b"\0\1\2", b"\xff\xfeab\xff", bytes(range(128, 256)) * 3])
def test_what_is_no_text_is_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(NotReadable):
        decode(data)


def test_formats_are_known_by_name() -> None:
    assert (suffix_of("A.MD"), suffix_of("b.txt"), suffix_of("c.DOCX")) == (".md", ".txt", ".docx")
    with pytest.raises(NotReadable, match=r"\.exe files are not read"):
        suffix_of("c.exe")


@pytest.mark.parametrize(
    ("place", "author", "readers", "origin"),
    [
        (GENERAL, ADA, channel(GENERAL), "member_text"),
        (DM, ADA, person("ada"), "member_text"),
        (GENERAL, GUEST, channel(GENERAL), "outside_text"),
        (DM, GUEST, person("ada"), "outside_text"),
        (SHARED, ADA, channel(SHARED), "outside_text"),
    ],
)
async def test_an_upload_is_read_where_it_was_put_and_is_its_authors_word(
    place: Place, author: Person, readers: str, origin: str
) -> None:
    text = b"# The plan\n\nWe sail.\n"
    made = await upload("plan.md", text, Reader(), key="F1", person=ADA, author=author, place=place)
    assert (made.title, made.readers, made.origin, made.author) == ("The plan", (readers,), origin, author.name)
