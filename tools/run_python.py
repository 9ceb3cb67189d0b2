"""run_python: Python on data, in a process that reaches nothing but its own folder. Off unless tools.yaml has it on."""

from __future__ import annotations

import asyncio
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from kernel.store import files, personal
from kernel.types import Fact, Json, Labelled, Payload, ToolResult
from tools.engine import Arguments, CannotDo, Preview, ToolContext, labels, said, tool
from tools.engine.files.spaces import label_of, spot_of
from tools.engine.files.workspace import bytes_digest
from tools.engine.preview import one_line

if TYPE_CHECKING:
    from kernel.store import Session
    from kernel.types import Origin
    from tools.engine.files.spaces import Spot
    from tools.engine.setup.file import ToolsFile

LARGEST = 50_000_000  # bytes of all files that are given
FilePath = Annotated[str, Field(pattern=r"^([^/]+/)*\w[\w.-]{0,99}$", max_length=200)]


class RunPython(Arguments):
    """What is run, on what, and what of it is kept."""

    code: str = Field(
        min_length=1, max_length=50_000, description="Python with its standard library and numpy; print what is found"
    )
    files: list[FilePath] = Field(
        max_length=10, description="Files of the workspace that it gets, each under its last name; [] for none"
    )
    keep: list[FilePath] = Field(
        max_length=5, description="New files of the workspace: what it writes under their last names; [] for none"
    )


def _is_on(setup: ToolsFile) -> bool:
    return setup.code.enabled


def _names(paths: list[str]) -> dict[str, str]:
    """The name inside -> the path in the workspace."""
    found = {PurePath(path).name: path for path in paths}
    if len(found) < len(paths):
        raise CannotDo("Two of the files have the same name.")
    return found


async def _preview(args: RunPython, ctx: ToolContext) -> Preview:
    limits = ctx.setup.code
    return Preview(
        headline=one_line(f"Run Python on {', '.join(args.files)}" if args.files else "Run Python"),
        facts=(
            Fact(label="Gets", value=one_line(", ".join(args.files) or "no files", 300)),
            Fact(label="Keeps", value=one_line(", ".join(args.keep) or "nothing", 300)),
            Fact(
                label="Limits", value=f"{limits.seconds} s, {limits.memory_mb} MB; no network, nothing but its folder"
            ),
        ),
        payloads=(Payload(title="code.py", content=args.code, language="text"),),
    )


async def _undo(_args: RunPython, data: Json, ctx: ToolContext) -> ToolResult:
    for path, digest in data["kept"].items():
        spot = spot_of(path, ctx, reads=False)
        if not spot.workspace.has(spot.path) or bytes_digest(spot.workspace.content(spot.path)) != digest:
            raise CannotDo(f"{path} was changed or moved since, so it is left as it is.")
        await asyncio.to_thread(spot.workspace.trash, spot.path, f"{ctx.call_id}-{digest[:8]}")
    return said(f"What it kept is in the trash: {', '.join(data['kept']) or 'nothing'}.", origin="nowhere")


@tool(
    effect="write",
    authority=("files", "keep"),
    free_text=("code",),
    safe_to_repeat=True,  # it changes nothing but the new files
    timeout=150,
    on=_is_on,
    preview=_preview,
    undo=_undo,
)
async def run_python(args: RunPython, ctx: ToolContext) -> ToolResult:
    """Compute something with Python on files of the workspace, such as a CSV. It has no network and sees no other file.

    It prints to you, and can leave new files in the workspace. Nothing stays from one call to the next.
    """
    from tools.engine.code import running

    if not _is_on(ctx.setup):
        raise CannotDo("Code is not run on this installation: tools.yaml does not have it on.")
    given, origin, is_personal, readers = await _given(args, ctx)
    wanted = {name: spot_of(path, ctx, reads=False) for name, path in _names(args.keep).items()}
    folder = ctx.workspace.parent / "code" / ctx.ids.new()
    ran = await running.run(args.code, given, list(wanted), folder, ctx.setup.code)
    for name, content in ran.files.items():
        await _keep(wanted[name], content, origin, ctx, is_personal=is_personal)
    notes = [ran.ended, *(f"It wrote no {name}." for name in ran.lacks)]
    notes += [f"Kept: {', '.join(wanted[name].shown for name in ran.files)}."] if ran.files else []
    return ToolResult(
        content="\n\n".join(
            filter(None, [ran.output.strip() or "[It printed nothing.]", " ".join(filter(None, notes))])
        ),
        pieces=(
            Labelled(
                text=ran.output,
                # The model wrote the code: what it prints gains no authority, even where all files are the team's own.
                origin="nowhere" if origin == "member_text" else origin,
                source="code",
                personal=is_personal,
                readers=readers,
            ),
            *(Labelled(text=wanted[name].shown, origin="made_here") for name in ran.files),
        ),
        data={"kept": {wanted[name].shown: bytes_digest(content) for name, content in ran.files.items()}},
        error=bool(ran.ended) and not ran.files,
        summary=one_line(f"Ran Python{f': {ran.ended}' if ran.ended else ''}", 200),
    )


async def _given(args: RunPython, ctx: ToolContext) -> tuple[dict[str, bytes], Origin, bool, tuple[str, ...]]:
    """The files, and the label of whatever is made of them: the worst of theirs and of the run's."""
    found: dict[str, bytes] = {}
    origin: Origin = labels.of_run(ctx.facts)
    is_personal, readers = ctx.facts.personal_data_read, set[tuple[str, ...]]()
    for name, path in _names(args.files).items():
        spot = spot_of(path, ctx)
        found[name] = await asyncio.to_thread(spot.workspace.content, spot.path)
        label, marked = await label_of(spot, found[name], ctx)
        origin = origin if label == "member_text" else "outside_text"
        is_personal = is_personal or marked
        readers |= {spot.readers} if spot.readers else set()
    if sum(map(len, found.values())) > LARGEST:
        raise CannotDo(f"The files have more than {LARGEST:,} bytes together.")
    return found, origin, is_personal, next(iter(readers), ())


async def _keep(spot: Spot, content: bytes, origin: Origin, ctx: ToolContext, *, is_personal: bool) -> None:
    """Put a new file into the workspace, its label first. CannotDo where another one is there."""
    if spot.workspace.has(spot.path) and await asyncio.to_thread(spot.workspace.content, spot.path) != content:
        raise CannotDo(f"There is a file {spot.shown} already. Choose another name.")
    version = bytes_digest(content)

    def label(session: Session) -> None:
        files.record(session, spot.key, version, origin=origin, run_id=ctx.facts.run_id, now=ctx.clock.now())
        if is_personal:
            personal.mark(session, personal.of_file(spot.key, version))

    await ctx.store.write(label)
    await asyncio.to_thread(spot.workspace.put, spot.path, content, ctx.call_id)
