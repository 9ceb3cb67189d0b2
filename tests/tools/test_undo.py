"""undo: what a call did is taken back through the door, once, and not over what came later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kernel.store import open_store
from kernel.types import Place
from rules.engine.outcome import Parked
from tests.tools.cases import shows
from tests.tools.office import Office, done


@pytest.fixture
def office(tmp_path: Path, sqlite_with_tables: str) -> Iterator[Office]:
    store = open_store(sqlite_with_tables)
    yield Office(store, tmp_path / "workspace")
    store.close()


@shows("works", "undo")
async def test_a_changed_file_gets_its_earlier_text_back(office: Office) -> None:
    first = office.run("write plan.md")
    done(await office.act(first, "write_file", path="plan.md", content="one"))
    second = office.run("write plan.md again")
    done(await office.act(second, "write_file", path="plan.md", content="two"))
    undone = done(await office.act(office.run(f"undo {second.ref}"), "undo", ref=second.ref))
    assert (undone.error, undone.content) == (False, "plan.md has its earlier text again.")
    assert (office.folder / "plan.md").read_text() == "one"


async def test_a_new_file_goes_to_the_trash_and_a_deleted_one_comes_back(office: Office) -> None:
    made = office.run("write plan.md")
    done(await office.act(made, "write_file", path="plan.md", content="one"))
    ref, deleted = await office.approved(office.run("clean up"), "delete_file", by="ann", path="plan.md")
    assert (deleted.error, (office.folder / "plan.md").exists()) == (False, False)
    assert done(await office.act(office.run(f"undo {ref}"), "undo", ref=ref)).content == "plan.md is back."
    assert (office.folder / "plan.md").read_text() == "one"
    assert not done(await office.act(office.run(f"undo {made.ref}"), "undo", ref=made.ref)).error
    assert not (office.folder / "plan.md").exists()


async def test_a_moved_file_is_where_it_was_and_keeps_its_label(office: Office) -> None:
    made = office.run("write a.md, move it to b.md")
    done(await office.act(made, "write_file", path="a.md", content="one"))
    moved = office.run("move a.md b.md")
    assert not done(await office.act(moved, "move_file", path="a.md", to="b.md")).error
    (piece,) = done(await office.act(made, "read_file", path="b.md")).pieces
    assert piece.origin == "member_text"
    done(await office.act(office.run(f"undo {moved.ref}"), "undo", ref=moved.ref))
    assert (office.folder / "a.md").read_text() == "one"


@shows("not there", "undo")
async def test_nothing_is_undone_twice(office: Office) -> None:
    made = office.run("write plan.md")
    done(await office.act(made, "write_file", path="plan.md", content="one"))
    done(await office.act(office.run(f"undo {made.ref}"), "undo", ref=made.ref))
    again = done(await office.act(office.run(f"undo {made.ref}"), "undo", ref=made.ref))
    assert (again.error, again.content) == (True, f"{made.ref} was undone already.")


async def test_what_was_changed_since_is_not_overwritten(office: Office) -> None:
    made = office.run("write plan.md")
    done(await office.act(made, "write_file", path="plan.md", content="one"))
    (office.folder / "plan.md").write_text("somebody's own words")
    refused = done(await office.act(office.run(f"undo {made.ref}"), "undo", ref=made.ref))
    assert "was changed since" in refused.content
    assert (office.folder / "plan.md").read_text() == "somebody's own words"


@shows("hostile", "undo")
async def test_a_reference_that_the_agent_found_is_asked_about(office: Office) -> None:
    made = office.run("write plan.md")
    done(await office.act(made, "write_file", path="plan.md", content="one"))
    assert isinstance(await office.act(office.run("clean up"), "undo", ref=made.ref), Parked)


@shows("not let in", "undo")
async def test_what_was_done_elsewhere_by_somebody_else_cannot_be_undone(office: Office) -> None:
    elsewhere = Place(platform="web", tenant="local", channel="finance", thread="m9")
    made = office.run("write plan.md", by="bo", place=elsewhere)
    done(await office.act(made, "write_file", path="plan.md", content="one"))
    refused = done(await office.act(office.run(f"undo {made.ref}"), "undo", ref=made.ref))
    assert refused.content == f"There is nothing called {made.ref} that you could undo."


async def test_reading_cannot_be_undone(office: Office) -> None:
    run = office.run("list")
    done(await office.act(run, "list_files", folder="."))
    refused = done(await office.act(office.run(f"undo {run.ref}"), "undo", ref=run.ref))
    assert refused.content == "What list_files did cannot be undone."
