"""Text commands: the first words that Bosun knows, the same on every platform, in threads and as slash commands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from bot.engine.sight import may_see
from kernel.store import runs
from kernel.types import Command

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.engine.directory import TeamDirectory
    from bot.engine.stops import Stops
    from kernel.clock import Clock
    from kernel.store import Session, Store
    from kernel.types import Actor, Inbound, Person, Place

REF = r"(?:AP|R)-[0-9A-Za-z]{4,26}"

# Only these shapes are commands; every other text is a request. A bare "yes" or "approve" never decides anything.
SHAPES = {
    "help": r"help",
    "status": r"status",
    "stop": rf"stop(?:\s+(?P<rest>{REF}))?",
    "approvals": r"approvals",
    "approve": rf"approve\s+(?P<rest>{REF}(?:\s+.+)?)",
    "reject": rf"reject\s+(?P<rest>{REF}(?:\s+.+)?)",
    "why": rf"why\s+(?P<rest>{REF})",
    "retry": rf"retry\s+(?P<rest>{REF})",
    "runs": r"runs",
    "agents": r"agents",
    "schedules": r"schedules",
    "run": r"run\s+(?P<rest>[\w-]+)",
}
ACTING = frozenset({"stop", "approve", "reject", "retry", "run"})  # they change something; the others only tell
PERSONAL = frozenset({"approve", "reject", "approvals", "runs"})  # what they answer is for whoever said them alone
LISTED, LOOKED_AT = 10, 200  # runs that are listed, and runs that are looked at to find those
_PATTERNS = {name: re.compile(rf"\s*[!/]?{shape}\s*", re.IGNORECASE | re.DOTALL) for name, shape in SHAPES.items()}

HELP = """\
Ask me anything in a channel (`@bosun ...`) or here; I answer in a thread with my sources.
What needs a person, I ask for with a card; nothing happens before it is approved.

| say | to |
|---|---|
| `agents` | see who works here; `finance: ...` asks one of them |
| `status`, `stop` | see or end what I am doing in this thread |
| `approvals` | see what waits for you |
| `approve AP-7F3K`, `reject AP-7F3K because ...` | decide without the buttons |
| `why AP-7F3K` | see why I asked, or who allowed what |
| `runs`, `schedules`, `run digest` | see what was done and what is scheduled, run a workflow now |
"""

WELCOME = """\
Hello, I'm Bosun. I work for this team: mention me with a question or a task and I answer in a thread.
I read the team's own documents, say where things stand, and use tools. Anything risky waits for a person to approve.

Try: *What is our refund policy?* · *What needs my approval?* · `help`
"""


def recognise(text: str) -> Command | None:
    """The command that the whole text is, or None: then it is a request."""
    for name, pattern in _PATTERNS.items():
        match = pattern.fullmatch(text)
        if match is not None:
            return Command(name=name, rest=(match.groupdict().get("rest") or "").strip())
    return None


class Decisions(Protocol):
    """What commands need of the approvals."""

    async def decide(self, ref: str, verb: str, actor: Actor, words: str) -> str:
        """Approve or reject the current revision; returns what to tell the person."""
        ...

    async def why(self, ref: str, person: Person) -> str:
        """Why it was asked, and what became of it; Markdown."""
        ...

    async def waiting(self, person: Person, actor: Actor) -> str:
        """What waits for this person; Markdown."""
        ...


class Workflows(Protocol):
    """What commands need of the workflows."""

    async def run_now(self, name: str, person: Person, place: Place) -> str:
        """Start a workflow; returns what to tell the person."""
        ...

    async def schedules(self) -> str:
        """The schedules and their next firings; Markdown."""
        ...


class Commands:
    """Runs commands. Every answer is Markdown."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        directory: TeamDirectory,
        decisions: Decisions,
        workflows: Workflows,
        stops: Stops,
        agents: Callable[[], str],
    ) -> None:
        self.store = store
        self.clock = clock
        self.directory = directory
        self.decisions = decisions
        self.workflows = workflows
        self.stops = stops
        self.agents = agents

    async def run(self, command: Command, person: Person, inbound: Inbound, place: Place) -> str:
        """Do it and say what came of it. Any BosunError is a refusal, to be told to the person alone."""
        rest, actor = command.rest, inbound.actor
        actions: dict[str, Callable[[], Awaitable[str]]] = {
            "status": lambda: self._status(place),
            "stop": lambda: self.stop(person, actor, place, rest),
            "retry": lambda: self.stops.retry(rest, person, actor),
            "approvals": lambda: self.decisions.waiting(person, actor),
            "approve": lambda: self._decide("approve", rest, actor),
            "reject": lambda: self._decide("reject", rest, actor),
            "why": lambda: self.decisions.why(rest.upper(), person),
            "runs": lambda: self._runs(person),
            "schedules": self.workflows.schedules,
            "run": lambda: self.workflows.run_now(rest, person, place),
        }
        if command.name == "help":
            return HELP
        if command.name == "agents":
            return self.agents()
        return await actions[command.name]()

    async def stop(self, person: Person, actor: Actor, place: Place, ref: str) -> str:
        """Stop the named run, or the one in this thread."""
        if ref.upper().startswith("AP-"):
            return "An approval is ended with `reject`; `stop` is for runs."
        if ref:
            return await self.stops.stop(ref, person, actor)
        conversation = await self.store.read(lambda session: runs.conversation_at(session, place))
        if conversation is None or conversation.active_run_id is None:
            return "Nothing is running in this thread."
        run_id = conversation.active_run_id
        run = await self.store.read(lambda session: session.get_one(runs.Run, run_id))
        return await self.stops.stop(run.ref, person, actor)

    def unknown(self, text: str) -> str:
        """What to say to a slash command that is none."""
        shown = text.strip().split("\n")[0][:40]
        return f"I don't know the command `{shown}`.\n\n{HELP}" if shown else HELP

    def welcome(self) -> str:
        """What a newcomer reads first."""
        return WELCOME

    async def _decide(self, verb: str, rest: str, actor: Actor) -> str:
        ref, _, words = rest.partition(" ")
        words = re.sub(r"^\s*because\b:?\s*", "", words, flags=re.IGNORECASE).strip()
        return await self.decisions.decide(ref.upper(), verb, actor, words)

    async def _status(self, place: Place) -> str:
        def look(session: Session) -> str:
            conversation = runs.conversation_at(session, place)
            run = None
            if conversation is not None and conversation.active_run_id is not None:
                run = session.get(runs.Run, conversation.active_run_id)
            if run is None:
                return "Nothing is running in this thread."
            state = "waiting for a decision" if run.state == runs.WAITING else "working"
            since = _ago((self.clock.now() - run.created_at).total_seconds())
            return f"**{run.ref}** ({run.agent}): {state}, begun {since} ago, {run.model_calls} model calls so far."

        return await self.store.read(look)

    async def _runs(self, person: Person) -> str:
        rows = await self.store.read(lambda session: runs.listing(session, limit=LOOKED_AT))
        seen = [run for run in rows if may_see(self.directory, person, run)][:LISTED]
        if not seen:
            return "Nothing has been asked yet where you can read it."
        lines = [f"| {run.ref} | {run.agent} | {_shown(run.state)} | {_cell(run.request)} |" for run in seen]
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
