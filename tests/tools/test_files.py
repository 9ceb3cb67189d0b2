"""list_files, read_file and write_file: what people and models see, and where texts say they come from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kernel.types import Actor, Labelled, RunFacts
from tests.knowledge import files as made
from tests.tools.cases import shows
from tests.tools.conftest import Perform
from tests.tools.team import GENERAL, facts
from tools.delete_file import delete_file
from tools.engine import Tool, ToolContext
from tools.list_files import list_files
from tools.move_file import move_file
from tools.read_file import read_file
from tools.write_file import write_file

OUTSIDE = Labelled(text="a web page", origin="outside_text")


@shows("works", "write_file", "list_files", "read_file")
async def test_a_file_is_written_listed_and_read(ctx: ToolContext, perform: Perform) -> None:
    written = await perform(write_file, path="reports/march.md", content="# March\n")
    assert (written.content, written.summary) == ("reports/march.md is written: 8 bytes.", "Created reports/march.md")
    assert (await perform(list_files, folder=".")).content == "reports/march.md (8 bytes)"
    read = await perform(read_file, path="reports/march.md")
    assert read.content == "# March"
    assert [(source.title, source.quote) for source in read.sources] == [("reports/march.md", "# March")]


async def test_an_empty_workspace_says_so(perform: Perform) -> None:
    assert (await perform(list_files, folder=".")).content == "There are no files here."


@shows("huge", "read_file")
async def test_a_long_file_is_read_in_parts(ctx: ToolContext, perform: Perform) -> None:
    (ctx.workspace / "long.txt").write_text("\n".join(f"line {n}" for n in range(1, 1001)))
    part = await perform(read_file, path="long.txt", first_line=500, lines=2)
    assert part.content == "line 500\nline 501\n\n[Lines 500 to 501 of 1000.]"
    beyond = await perform(read_file, path="long.txt", first_line=2000)
    assert (beyond.error, beyond.content) == (True, "The file has 1000 lines.")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("letter.pdf", made.pdf("Dear Maria", "Second page"), ["Dear Maria", "Second page"]),
        ("plan.docx", made.word("Plan", "Ship it on Friday."), ["Plan", "Ship it on Friday."]),
        ("prices.xlsx", made.excel(("Prices", [["tea", 4], ["coffee", 5]])), ["tea", "5"]),
        ("talk.pptx", made.powerpoint("Tea", "It is hot.", "Say it slowly."), ["Tea", "It is hot."]),
        ("prices.csv", b"tea,4\ncoffee,5\n", ["tea,4"]),
    ],
)
async def test_documents_are_read(
    ctx: ToolContext, perform: Perform, name: str, content: bytes, says: list[str]
) -> None:
    (ctx.workspace / name).write_bytes(content)
    read = await perform(read_file, path=name)
    assert not read.error, read.content
    assert all(words in read.content for words in says)
    assert {piece.origin for piece in read.pieces} == {"outside_text"}  # nobody has labelled it


@pytest.mark.parametrize("name", ["bomb.docx", "none.pdf", "picture.png"])
@shows("garbage", "read_file")
async def test_a_document_that_is_none_is_a_sentence(ctx: ToolContext, perform: Perform, name: str) -> None:
    (ctx.workspace / name).write_bytes({"bomb.docx": made.bomb(), "none.pdf": b"no PDF"}.get(name, made.PNG))
    read = await perform(read_file, path=name)
    assert read.error
    assert read.content.startswith((f"{name} cannot be read. ", f"{name} is not a text file"))


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        (read_file, {"path": "../x"}),
        (read_file, {"path": "none"}),
        (list_files, {"folder": "none"}),
        (write_file, {"path": "/etc/x", "content": ""}),
    ],
)
@shows("not let in", "write_file")
@shows("not there", "read_file", "list_files")
async def test_a_refusal_is_a_sentence(perform: Perform, tool: Tool, arguments: dict[str, str]) -> None:
    result = await perform(tool, **arguments)
    assert result.error
    assert result.content.endswith(".")


async def origin_of(perform: Perform, path: str) -> str:
    read = await perform(read_file, path=path)
    (piece,) = read.pieces
    listed = {piece.source: piece.origin for piece in (await perform(list_files, folder=".")).pieces}
    assert listed[f"file:{path}"] == piece.origin
    return piece.origin


async def test_what_a_member_had_written_is_member_text_afterwards(perform: Perform) -> None:
    await perform(write_file, path="a.md", content="x")
    assert await origin_of(perform, "a.md") == "member_text"


@pytest.mark.parametrize(
    "tainted",
    [
        facts(OUTSIDE),
        facts(place=GENERAL.model_copy(update={"external": True})),
        facts(actor=Actor(platform="web", tenant="local", user="g", is_guest=True)),
        facts(actor=Actor(platform="web", tenant="local", user="g", is_external=True)),
        facts(requester=facts().requester.model_copy(update={"can_decide": False})),
    ],
)
async def test_what_a_run_writes_keeps_the_label_of_what_it_has_read(
    ctx: ToolContext, perform: Perform, tainted: RunFacts
) -> None:
    await perform(write_file, replace(ctx, facts=tainted), path="a.md", content="x")
    assert await origin_of(perform, "a.md") == "outside_text"


async def test_writing_the_same_text_again_does_not_whiten_it(ctx: ToolContext, perform: Perform) -> None:
    await perform(write_file, replace(ctx, facts=facts(OUTSIDE)), path="a.md", content="x")
    await perform(write_file, path="a.md", content="x")
    assert await origin_of(perform, "a.md") == "outside_text"


async def test_the_same_text_from_outside_blackens_it(ctx: ToolContext, perform: Perform) -> None:
    await perform(write_file, path="a.md", content="x")
    await perform(write_file, replace(ctx, facts=facts(OUTSIDE)), path="a.md", content="x")
    assert await origin_of(perform, "a.md") == "outside_text"


@shows("hostile", "read_file", "list_files")
async def test_a_file_that_was_changed_in_another_way_is_outside_text(ctx: ToolContext, perform: Perform) -> None:
    await perform(write_file, path="a.md", content="x")
    (ctx.workspace / "a.md").write_text("y")
    (ctx.workspace / "b.md").write_text("y")
    (read,) = (await perform(read_file, path="a.md")).pieces
    assert read.origin == "outside_text"
    assert await origin_of(perform, "b.md") == "outside_text"


async def test_a_repeated_call_changes_nothing(ctx: ToolContext, perform: Perform) -> None:
    first = await perform(write_file, path="a.md", content="x")
    before = (ctx.workspace / "a.md").stat().st_ino
    again = await perform(write_file, path="a.md", content="x")
    assert (first.error, again.error) == (False, False)
    assert (ctx.workspace / "a.md").stat().st_ino == before


async def test_the_preview_of_a_new_file_shows_it_all(ctx: ToolContext) -> None:
    preview = await write_file.preview({"path": "a.md", "content": "one\ntwo\n"}, ctx)
    assert preview.headline == "Create a.md"
    assert preview.payloads[0].content == "one\ntwo\n"
    assert not (ctx.workspace / "a.md").exists()


async def test_the_preview_of_a_change_shows_the_difference(ctx: ToolContext) -> None:
    (ctx.workspace / "a.md").write_text("one\ntwo\nthree\n")
    preview = await write_file.preview({"path": "a.md", "content": "one\n2\nthree\n"}, ctx)
    assert preview.headline == "Change a.md"
    assert preview.payloads[0].language == "diff"
    assert preview.payloads[0].content.splitlines() == [
        "--- a.md (now)",
        "+++ a.md (new)",
        "@@ -1,3 +1,3 @@",
        " one",
        "-two",
        "+2",
        " three",
    ]


async def test_a_preview_that_cannot_be_made_shows_the_call_and_says_so(ctx: ToolContext) -> None:
    arguments = {"path": "../a.md", "content": "x"}
    preview = await write_file.preview(arguments, ctx)
    assert preview.headline == "Write file: ../a.md"
    assert "not a path in the workspace" in preview.warning
    assert '"content": "x"' in preview.payloads[0].content


async def test_text_about_odd_characters_is_not_odd(perform: Perform) -> None:
    written = await perform(write_file, path="a.md", content="NUL is written \\u0000 or \\0")
    assert not written.error
    refused = await perform(write_file, path="a.md", content="NUL is \0")
    assert (refused.error, "NUL" in refused.content) == (True, True)


async def test_a_written_file_can_be_taken_back(ctx: ToolContext, perform: Perform) -> None:
    await perform(write_file, path="a.md", content="old")
    changed = await perform(write_file, call_id="another", path="a.md", content="new")
    assert changed.data["before"] == "old"


async def test_a_channel_has_a_folder_that_no_other_place_reaches(ctx: ToolContext, perform: Perform) -> None:
    await perform(write_file, path="channel/plan.md", content="ours")
    assert (await perform(read_file, path="channel/plan.md")).content == "ours"
    assert (await perform(list_files, folder="channel")).content == "channel/plan.md (4 bytes)"
    assert (await perform(list_files, folder=".")).content == "There are no files here."
    elsewhere = replace(ctx, facts=facts(place=GENERAL.model_copy(update={"channel": "c-finance"})))
    assert (await perform(read_file, elsewhere, path="channel/plan.md")).error
    in_thread = replace(ctx, facts=facts(place=GENERAL.in_thread("m7")))
    assert (await perform(read_file, in_thread, path="channel/plan.md")).content == "ours"


@shows("not let in", "read_file", "list_files")
async def test_where_outsiders_read_along_the_teams_files_stay_closed(ctx: ToolContext, perform: Perform) -> None:
    await perform(write_file, path="plan.md", content="ours")
    shared = replace(ctx, facts=facts(place=GENERAL.model_copy(update={"external": True})))
    for tool, arguments in ((read_file, {"path": "plan.md"}), (list_files, {"folder": "."})):
        refused = await perform(tool, shared, **arguments)
        assert (refused.error, "People outside the team read this channel" in refused.content) == (True, True)
    preview = await write_file.preview({"path": "plan.md", "content": "x"}, shared)
    assert "ours" not in preview.model_dump_json()


@shows("works", "delete_file")
async def test_a_deleted_file_is_shown_before_and_lies_in_the_trash(ctx: ToolContext, perform: Perform) -> None:
    await perform(write_file, path="plan.md", content="ours")
    preview = await delete_file.preview({"path": "plan.md"}, ctx)
    assert (preview.headline, preview.payloads[0].content) == ("Delete plan.md", "ours")
    deleted = await perform(delete_file, path="plan.md")
    again = await perform(delete_file, path="plan.md")
    assert deleted == again
    assert (await perform(delete_file, call_id="another", path="plan.md")).content == (
        "There is no plan.md in the workspace."
    )


@shows("works", "move_file")
async def test_a_move_that_is_repeated_after_a_crash_has_happened_once(ctx: ToolContext, perform: Perform) -> None:
    await perform(write_file, path="a.md", content="x")
    first = await perform(move_file, path="a.md", to="b.md")
    assert await perform(move_file, path="a.md", to="b.md") == first
    another = await perform(move_file, call_id="another", path="a.md", to="b.md")
    assert (another.error, another.content) == (True, "There is no a.md in the workspace.")
