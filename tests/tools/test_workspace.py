"""No path leads out of the workspace, whatever it is made of and whoever moves links about meanwhile."""

from __future__ import annotations

import ctypes
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.engine import CannotDo
from tools.engine.files.workspace import LARGEST_FILE, Quota, Workspace

TOKEN = "01CALL"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file that the tools must neither read nor change."""
    secret = tmp_path / "outside" / "secret.txt"
    secret.parent.mkdir()
    secret.write_text("outside")
    return secret


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


def test_what_is_written_is_read(root: Path) -> None:
    workspace = Workspace(root)
    workspace.write("reports/2026/märz.md", "Grüße\n", TOKEN)
    assert workspace.read("reports/2026/märz.md") == "Grüße\n"
    assert [(file.path, file.size) for file in workspace.listing(".")] == [("reports/2026/märz.md", 8)]
    assert [file.path for file in workspace.listing("reports")] == ["reports/2026/märz.md"]
    assert list(root.rglob(".*")) == []


def test_the_folder_is_made_when_it_is_needed(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "data" / "workspace")
    assert workspace.listing(".") == []
    workspace.write("a.txt", "x", TOKEN)
    assert workspace.read("a.txt") == "x"


ESCAPES = [
    "../outside/secret.txt",
    "a/../../outside/secret.txt",
    "./secret.txt",
    "/etc/passwd",
    "//etc/passwd",
    "",
    ".",
    "..",
    "a//b",
    "a/",
    "..\\outside\\secret.txt",
    "C:\\secret.txt",
    "a/.env",
    ".git/config",
    "~/x/../..",
    "a\0b",
    "a\nb",
    "a\u202egpj.exe",
    "a\u200b",
    " a",
    "a ",
    "a.",
    "A\u030a",
    "x" * 101,
    "a/" * 9 + "b",
    "\ud800",
]


@pytest.mark.parametrize("path", ESCAPES)
def test_what_is_not_plainly_a_relative_path_is_refused(root: Path, outside: Path, path: str) -> None:
    workspace = Workspace(root)
    for attempt in (workspace.read, lambda path: workspace.write(path, "x", TOKEN)):
        with pytest.raises(CannotDo):
            attempt(path)
    assert outside.read_text() == "outside"
    assert list(root.iterdir()) == []


PARTS = st.sampled_from(["..", ".", "", "a", "b", "link", "inside", "secret.txt", "~", "\\..", "%2e%2e", "..."])
PATHS = st.lists(PARTS, min_size=1, max_size=6).map("/".join) | st.text(max_size=30)


@settings(max_examples=150, deadline=None)
@given(path=PATHS)
def test_no_path_reads_or_changes_anything_outside(tmp_path_factory: pytest.TempPathFactory, path: str) -> None:
    top = tmp_path_factory.mktemp("top")
    (top / "secret.txt").write_text("outside")
    root = top / "root"
    (root / "inside").mkdir(parents=True)
    (root / "link").symlink_to(top)
    (root / "inside" / "link").symlink_to("../..")
    workspace = Workspace(root)
    for attempt in (workspace.read, workspace.listing, lambda path: workspace.write(path, "changed", TOKEN)):
        try:
            found = attempt(path)
        except CannotDo:
            continue
        assert "outside" not in str(found)
    assert (top / "secret.txt").read_text() == "outside"
    assert sorted(entry.name for entry in top.iterdir()) == ["root", "secret.txt"]


@pytest.mark.parametrize("target", ["../outside/secret.txt", "/etc/hostname"])
def test_a_link_to_a_file_is_neither_read_nor_replaced(root: Path, outside: Path, target: str) -> None:
    (root / "link.txt").symlink_to(target)
    workspace = Workspace(root)
    with pytest.raises(CannotDo):
        workspace.read("link.txt")
    with pytest.raises(CannotDo, match="is not a file"):
        workspace.write("link.txt", "x", TOKEN)
    assert (root / "link.txt").is_symlink()
    assert outside.read_text() == "outside"
    assert workspace.listing(".") == []


def test_a_link_to_a_folder_is_not_entered(root: Path, outside: Path) -> None:
    (root / "folder").symlink_to(outside.parent)
    workspace = Workspace(root)
    for attempt in (
        lambda: workspace.read("folder/secret.txt"),
        lambda: workspace.write("folder/new.txt", "x", TOKEN),
        lambda: workspace.listing("folder"),
    ):
        with pytest.raises(CannotDo):
            attempt()
    assert [entry.name for entry in outside.parent.iterdir()] == ["secret.txt"]


def test_a_link_put_in_the_place_of_the_unfinished_file_is_not_followed(root: Path, outside: Path) -> None:
    (root / f".note.txt.{TOKEN}.new").symlink_to(outside)
    Workspace(root).write("note.txt", "new", TOKEN)
    assert (root / "note.txt").read_text() == "new"
    assert outside.read_text() == "outside"


def test_swapping_a_folder_for_a_link_wins_nothing(root: Path, outside: Path) -> None:
    """Somebody exchanges the folder with a link as fast as possible while we read and write below it."""
    workspace = Workspace(root)
    real, link = root / "folder", root / "link"
    exchange = ctypes.CDLL(None).renameat2  # Linux: puts two names in each other's place at once
    real.mkdir()
    (real / "secret.txt").write_text("inside")
    link.symlink_to(outside.parent)
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            assert exchange(-100, bytes(real), -100, bytes(link), 2) == 0  # AT_FDCWD, RENAME_EXCHANGE

    attacker = threading.Thread(target=swap)
    attacker.start()
    try:
        seen: set[str] = set()
        for number in range(20_000):
            if number >= 600 and seen:  # it may take a while until the folder stands in its place at the right moment
                break
            try:
                seen.add(workspace.read("folder/secret.txt"))
                workspace.write("folder/new.txt", str(number), TOKEN)
            except CannotDo:
                pass
    finally:
        done.set()
        attacker.join()
    assert seen == {"inside"}
    assert [entry.name for entry in outside.parent.iterdir()] == ["secret.txt"]


def test_only_text_of_limited_size_is_read(root: Path) -> None:
    workspace = Workspace(root)
    (root / "zero").write_bytes(b"a\0b")
    (root / "latin").write_bytes("é".encode("latin-1"))
    (root / "large").write_bytes(b"x" * (LARGEST_FILE + 1))
    (root / "folder").mkdir()
    os.mkfifo(root / "pipe")
    for name, says in {
        "zero": "not a text file",
        "latin": "UTF-8",
        "large": "larger",
        "folder": "not a file",
        "pipe": "not a file",
        "none": "There is no none",
    }.items():
        with pytest.raises(CannotDo, match=says):
            workspace.read(name)


def test_too_much_text_is_refused_before_anything_is_written(root: Path) -> None:
    with pytest.raises(CannotDo, match="a file may have"):
        Workspace(root).write("a/b.txt", "é" * (LARGEST_FILE // 2 + 1), TOKEN)
    assert list(root.iterdir()) == []


def test_a_folder_is_not_replaced_by_a_file_nor_the_other_way_round(root: Path) -> None:
    workspace = Workspace(root)
    workspace.write("a/b", "x", TOKEN)
    with pytest.raises(CannotDo, match="is not a file"):
        workspace.write("a", "x", TOKEN)
    with pytest.raises(CannotDo):
        workspace.write("a/b/c", "x", TOKEN)
    assert workspace.read("a/b") == "x"


def test_readers_see_the_old_text_or_the_new_never_a_mixture(root: Path) -> None:
    workspace = Workspace(root)
    old, new = "a" * 200_000, "b" * 200_000
    workspace.write("x", old, TOKEN)
    seen: set[str] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.add(workspace.read("x"))

    reader = threading.Thread(target=watch)
    reader.start()
    for _ in range(20):
        workspace.write("x", new, TOKEN)
        workspace.write("x", old, TOKEN)
    done.set()
    reader.join()
    assert seen <= {old, new}


def test_a_listing_has_an_end(root: Path) -> None:
    for number in range(620):
        (root / f"f{number:04}").touch()
    assert len(Workspace(root).listing(".")) == 500


def test_a_file_is_moved_and_nothing_is_ever_replaced(root: Path) -> None:
    workspace = Workspace(root)
    workspace.write("a.md", "a", TOKEN)
    workspace.write("b.md", "b", TOKEN)
    with pytest.raises(CannotDo, match="There is something at"):
        workspace.move("a.md", "b.md")
    with pytest.raises(CannotDo, match="is there already"):
        workspace.move("a.md", "a.md")
    workspace.move("a.md", "deep/c.md")
    assert [file.path for file in workspace.listing(".")] == ["b.md", "deep/c.md"]


def test_links_are_neither_moved_nor_deleted(root: Path, outside: Path) -> None:
    (root / "link.md").symlink_to(outside)
    (root / "door").symlink_to(outside.parent)
    workspace = Workspace(root)
    for act, *words in (
        (workspace.move, "link.md", "x.md"),
        (workspace.trash, "link.md", TOKEN),
        (workspace.trash, "door/secret.txt", TOKEN),
        (workspace.move, "door/secret.txt", "x.md"),
    ):
        with pytest.raises(CannotDo):
            act(*words)
    assert outside.read_text() == "outside"
    assert (root / "link.md").is_symlink()


def test_the_trash_is_out_of_reach_gives_back_and_is_emptied(root: Path) -> None:
    workspace = Workspace(root)
    workspace.write("a.md", "a", TOKEN)
    workspace.trash("a.md", TOKEN)
    assert workspace.listing(".") == []
    with pytest.raises(CannotDo, match="begins with a dot"):
        workspace.read(f".trash/{TOKEN}")
    workspace.empty_trash(before=0)
    workspace.restore("a.md", TOKEN)
    assert workspace.read("a.md") == "a"
    workspace.trash("a.md", TOKEN)
    workspace.empty_trash(before=(root / ".trash" / TOKEN).stat().st_ctime + 1)
    assert not workspace.in_trash(TOKEN)


def test_a_workspace_holds_no_more_than_its_quota_the_trash_included(root: Path) -> None:
    workspace = Workspace(root, Quota(size=10, files=3))
    workspace.write("a.md", "12345678", TOKEN)
    with pytest.raises(CannotDo, match="holds 8 of 10 bytes; 3 more do not fit"):
        workspace.write("b.md", "123", TOKEN)
    workspace.trash("a.md", TOKEN)
    with pytest.raises(CannotDo, match="do not fit"):
        workspace.write("b.md", "123", TOKEN)
    for name in ("b", "c"):
        workspace.write(name, "1", TOKEN)
    with pytest.raises(CannotDo, match="holds 3 files"):
        workspace.write("d", "", TOKEN)
