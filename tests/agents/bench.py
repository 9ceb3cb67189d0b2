"""A small installation around the loop: real store, a door that remembers, the team of the tools' tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import select

from agents.engine.anthropic_model import AnthropicModel
from agents.engine.definition import AgentDefinition, Roster
from agents.engine.loop import Loop
from agents.engine.model import Model
from agents.engine.ports import Charter, Closing, Live, Recall, Team, Timing
from kernel.clock import CountedIds, FixedClock
from kernel.store import Session, Store, meters, outbox, runs, wake
from kernel.store.outbox import OutboxRow
from kernel.store.runs import Conversation, Entry, Run
from kernel.types import Actor, Body, Json, Labelled, Place, RunFacts, Text, ToolCall, ToolResult, ToolSchema
from rules.engine.model_budgets import Refused, Spender
from rules.engine.outcome import Finished, Freeze, Outcome, Parked
from tests.fakes.anthropic import FakeAnthropic
from tests.tools.team import GENERAL, MIA
from tests.tools.team import Team as People

MIA_WEB = Actor(platform="web", tenant="local", user="mia", name="Mia Brandt")
SLOW = Timing(edit_interval=3600, time_to_progress=3600)  # no progress in tests that are not about it
Tool = Callable[[dict[str, Json]], Awaitable[ToolResult]]


def agent(name: str, description: str = "", **more: Any) -> AgentDefinition:
    known: dict[str, Any] = {"tools": ("*",), "instructions": f"You do {name}.", "path": f"agents/{name}.md", **more}
    return AgentDefinition(name=name, description=description or f"Does {name}.", **known)


ROSTER = Roster(
    [
        agent("lead", "Finds out who can help."),
        agent("finance", "Invoices, budgets and payments.", channels=("#finance",), tools=("read_invoice", "pay")),
        agent("research", "Finds facts in the knowledge base and on the web."),
    ]
)


@dataclass
class ShortDoor:
    """A door without rules: every call happens once, and the tools in `asked` wait for an approval."""

    tools: dict[str, Tool]
    asked: set[str] = field(default_factory=set)
    performed: list[tuple[str, dict[str, Json]]] = field(default_factory=list)
    facts: list[RunFacts] = field(default_factory=list)
    results: dict[tuple[str, str], ToolResult] = field(default_factory=dict)
    approved: set[str] = field(default_factory=set)
    freeze: Freeze | None = None

    def visible(self, agent: str, facts: RunFacts) -> list[ToolSchema]:
        schema = {"type": "object", "properties": {}}
        return [ToolSchema(name=name, description=f"Does {name}.", arguments=schema) for name in sorted(self.tools)]

    async def frozen(self, agent: str, channel: str) -> Freeze | None:
        return self.freeze

    async def act(self, call: ToolCall, facts: RunFacts, entry: int, *, fresh: bool = False) -> Outcome:
        self.facts.append(facts)
        key = (facts.run_id, call.id)
        if call.tool in self.asked and call.id not in self.approved:
            return Parked(refs=(f"AP-{call.id}",))
        if key not in self.results:
            self.results[key] = await self._perform(call)
        return Finished(result=self.results[key])

    async def _perform(self, call: ToolCall) -> ToolResult:
        if call.tool not in self.tools:
            return ToolResult(content=f"There is no tool '{call.tool}'.", error=True)
        self.performed.append((call.tool, call.arguments))
        return await self.tools[call.tool](call.arguments)


@dataclass
class Purse:
    """Budgets that say what a test has them say, once for each turn that asks."""

    store: Store
    says: list[Parked | Refused | None] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)  # what each turn could have cost

    async def begin(self, run: RunFacts, spender: Spender, turn: int, most: float) -> Parked | Refused | None:
        self.asked.append(most)
        return self.says.pop(0) if self.says else None

    def spent(self, session: Session, spender: Spender, cost: float, place: Place) -> None:
        meters.add_cost(session, FixedClock().now(), cost, **spender.record())

    def given_up(self, session: Session, run_id: str) -> None:
        """Nothing was kept free."""


async def write_file(arguments: dict[str, Json]) -> ToolResult:
    text = f"Wrote {arguments.get('path')}."
    return ToolResult(content=text, pieces=(Labelled(text=text, origin="made_here"),), summary=text)


async def fails(arguments: dict[str, Json]) -> ToolResult:
    return ToolResult(content="The printer is on fire.", error=True, summary="The printer is on fire.")


class Bench:
    """One installation in one test."""

    def __init__(self, store: Store, fake: FakeAnthropic | None = None, **tools: Tool) -> None:
        self.store = store
        self.fake = fake
        self.clock = FixedClock()
        self.ids = CountedIds()
        self.door = ShortDoor({"write_file": write_file, "print_it": fails, **tools})
        self.naps: list[float] = []
        self.timing = SLOW
        self.live: Live | None = None
        self.closing: Closing | None = None
        self.roster = ROSTER
        self.team = Team(name="Acme")
        self.max_turns = 30
        self.model: Model | None = None
        self.purse = Purse(store)
        self.recall: Recall | None = None

    def loop(self, model: Model | None = None) -> Loop:
        """A process: its own loop on the same database."""
        chosen = model or self.model or self._anthropic()
        self.model = chosen
        charter = Charter(team=self.team, roster=self.roster, directory=People())
        return Loop(
            store=self.store,
            clock=self.clock,
            door=self.door,
            model=chosen,
            charter=lambda: charter,
            budgets=self.purse,
            timing=lambda _place: self.timing,
            live=self.live,
            closing=self.closing,
            max_turns=self.max_turns,
            recall=self.recall,
        )

    def _anthropic(self) -> AnthropicModel:
        assert self.fake is not None

        async def nap(seconds: float) -> None:
            self.naps.append(seconds)

        return AnthropicModel(api_key=self.fake.key, base_url=self.fake.url, sleep=nap)

    async def close(self) -> None:
        if isinstance(self.model, AnthropicModel):
            await self.model.close()

    def begin(self, text: str, *, agent: str = "lead", place: Place = GENERAL, **content: Json) -> Run:
        """What the desk does with a request."""
        place = place.in_thread(place.thread or "t1")

        def work(session: Session) -> Run:
            conversation = runs.conversation_at(session, place)
            run_id, now = self.ids.new(), self.clock.now()
            if conversation is None:
                conversation = Conversation(
                    id=self.ids.new(),
                    platform=place.platform,
                    tenant=place.tenant,
                    channel=place.channel,
                    thread=place.thread or "",
                    place=place.model_dump(mode="json"),
                    active_at=now,
                    created_at=now,
                )
            conversation.active_run_id = run_id
            session.add(conversation)
            run = Run(
                id=run_id,
                ref=runs.free_ref(session, self.ids),
                conversation_id=conversation.id,
                agent=agent,
                requester=MIA.id,
                requester_actor=MIA_WEB.model_dump(mode="json"),
                place=place.model_dump(mode="json"),
                request=text,
                created_at=now,
                updated_at=now,
            )
            request = {
                "text": text,
                "actor": MIA_WEB.model_dump(mode="json"),
                "person": MIA.model_dump(mode="json"),
                "files": [],
                "context": [],
            }
            runs.begin(session, run, {**request, **content})
            return run

        return self.store.write_now(work)

    async def ask(self, text: str, **more: Any) -> Run:
        """A request, worked on until it ends or waits."""
        run = self.begin(text, **more)
        await self.loop().segment(run.id, 1)
        return self.run(run.id)

    async def stop(self, run_id: str) -> None:
        """What the desk does with a stop."""

        def work(session: Session) -> None:
            run = session.get(Run, run_id)
            assert run is not None
            run.stop_requested_by = MIA.id
            session.add(run)
            wake(session, runs.STOP, run_id)

        await self.store.write(work)

    def run(self, run_id: str) -> Run:
        found = self.store.read_now(lambda session: session.get(Run, run_id))
        assert found is not None
        return found

    def lines(self, run_id: str) -> list[Entry]:
        return self.store.read_now(lambda session: runs.transcript(session, run_id))

    def kinds(self, run_id: str) -> list[str]:
        return [entry.kind for entry in self.lines(run_id)]

    def shown(self, run_id: str) -> list[Body]:
        """What people see of the run now, one body per message."""
        mine = select(OutboxRow).where(OutboxRow.run_id == run_id, OutboxRow.kind == outbox.MESSAGE)
        return [row.content for row in self.store.read_now(lambda session: list(session.exec(mine)))]

    def said(self, run_id: str) -> Text:
        """The run's one message, which is a Text."""
        (body,) = self.shown(run_id)
        assert isinstance(body, Text), body
        return body
