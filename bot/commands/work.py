"""`status`, `stop`, `retry`, `skip`, `runs`: the work in hand and what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.engine import offers
from bot.engine.sight import may_see
from bot.engine.text_command import REF, TextCommand
from kernel.store import freezes, runs
from rules.engine.freezing import in_words

if TYPE_CHECKING:
    from bot.engine.text_command import Asked, Office
    from kernel.store import Session

LISTED, LOOKED_AT = 10, 200  # runs that are listed, and runs that are looked at to find those


async def status(asked: Asked, office: Office) -> str:
    """What is running in this thread."""

    def look(session: Session) -> str:
        run = runs.active_at(session, asked.place)
        if run is None:
            return "Nothing is running in this thread."
        frozen = freezes.held(session).get(run.id)
        state = "waiting for a decision" if run.state == runs.WAITING else "working"
        if frozen is not None:
            state = f"held, because {in_words(frozen)} is frozen"
        since = _ago((office.clock.now() - run.created_at).total_seconds())
        return f"**{run.ref}** ({run.agent}): {state}, begun {since} ago, {run.model_calls} model calls so far."

    return await office.store.read(look)


async def stop(asked: Asked, office: Office) -> str:
    """Stop the named run, or the one in this thread."""
    if asked.rest.upper().startswith("AP-"):
        return "An approval is ended with `reject`; `stop` is for runs."
    if asked.rest:
        return await office.stops.stop(asked.rest, asked.person, asked.actor)
    return await office.stops.stop_here(asked.place, asked.person, asked.actor)


async def retry(asked: Asked, office: Office) -> str:
    """Run a failed request again."""
    return await office.stops.retry(asked.rest, asked.person, asked.actor)


async def skip(asked: Asked, office: Office) -> str:
    """Have a failed run of a workflow go on without the step that failed."""
    return await office.stops.skip(asked.rest, asked.person, asked.actor)


async def listing(asked: Asked, office: Office) -> str:
    """What was asked lately, where this person can read it."""
    rows, held = await office.store.read(
        lambda session: (runs.listing(session, limit=LOOKED_AT), freezes.held(session))
    )
    seen = [run for run in rows if may_see(office.directory, asked.person, run)][:LISTED]
    if not seen:
        return "Nothing has been asked yet where you can read it."
    lines = [
        f"| {run.ref} | {run.agent} | {'held' if run.id in held else _shown(run.state)} | {_cell(run.request)} |"
        for run in seen
    ]
    return "\n".join(["| run | agent | state | request |", "|---|---|---|---|", *lines])


def _shown(state: str) -> str:
    return {runs.QUEUED: "running", runs.WAITING: "waiting for a decision"}.get(state, state)


def _cell(text: str) -> str:
    line = " ".join(text.split()).replace("|", "\\|")
    return line if len(line) <= 60 else line[:59] + "…"


def _ago(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"


COMMANDS = (
    TextCommand(name="status", shape="status", run=status, place=11, does="see what I am doing in this thread"),
    TextCommand(
        name="stop",
        offers=offers.running,
        shape=rf"stop(?:\s+(?P<rest>{REF}))?",
        run=stop,
        place=12,
        acting=True,
        does="end what I am doing in this thread",
    ),
    TextCommand(
        name="retry",
        offers=offers.failed,
        shape=rf"retry\s+(?P<rest>{REF})",
        run=retry,
        usage="R-7F3K",
        place=13,
        acting=True,
        does="try a failed request again",
    ),
    TextCommand(
        name="skip",
        offers=offers.failed,
        group="workflows",
        shape=rf"skip\s+(?P<rest>{REF})",
        run=skip,
        usage="R-7F3K",
        place=14,
        acting=True,
        does="have a workflow go on without the step that failed",
    ),
    TextCommand(name="runs", shape="runs", run=listing, place=30, personal=True, does="see what was done lately"),
)
