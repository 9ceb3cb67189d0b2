"""A whole office for the tests: the tools that ship, the starter rules, people, and the real door between them."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel.clock import FixedClock, SystemIds
from kernel.store import runs
from kernel.types import Json, Labelled, Place, RunFacts, ToolCall, ToolResult
from rules.engine.absences import Absences
from rules.engine.approvals import Approvals
from rules.engine.door import Door
from rules.engine.known import Known, KnownTool
from rules.engine.outcome import Finished, Outcome, Parked
from rules.engine.rulebook import RuleBook
from rules.engine.services import Services
from tests.rules.people import Team, account
from tests.tools.team import Notes
from tools.engine import Catalogue, ToolContext, discover
from tools.engine.setup.file import ToolsFile
from tools.engine.web.settings import WebSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.store import Store

THREAD = Place(platform="web", tenant="local", channel="general", thread="m1")
STARTER = Path(__file__).parents[2] / "charter/rules/starter.yaml"

EVERYTHING = """
version: 1
rules:
  - {id: all, why: The tests look at the tools alone., effect: [fetch, write, send, spend, destroy], decision: allow}
"""


class Office:
    """Ann asks, the door decides by the starter rules, Dee (admin) votes."""

    def __init__(self, store: Store, folder: Path, setup: ToolsFile | None = None, **secrets: str) -> None:
        self.store, self.folder = store, folder
        self.setup = setup or ToolsFile()
        self.clock, self.ids, self.team = FixedClock(), SystemIds(), Team()
        self.tools: Catalogue = discover()
        self.tools.configure(self.setup)
        self.secrets = secrets
        self.book = RuleBook()
        self.book.load({"rules/starter.yaml": STARTER.read_text()}, known(self.tools))
        self.services = Services(
            store=store,
            clock=self.clock,
            ids=self.ids,
            directory=self.team,
            rules=self.book,
            tools=self.tools,
            absences=Absences(store, self.clock, self.ids, self.team),
            fallback_channel="#approvals",
        )
        self.approvals = Approvals(self.services)
        self.door = Door(self.services, self.approvals, self.tools, context=self.context, secrets=secrets)
        self._uses = itertools.count(1)

    def allow_everything(self) -> None:
        """From now on nobody is asked."""
        self.book.load({"rules/all.yaml": EVERYTHING}, known(self.tools))

    def context(self, call_id: str, facts: RunFacts) -> ToolContext:
        return ToolContext(
            call_id=call_id,
            facts=facts,
            store=self.store,
            clock=self.clock,
            ids=self.ids,
            workspace=self.folder,
            knowledge=Notes(),
            directory=self.team,
            http=WebSettings(),
            setup=self.setup,
            catalogue=self.tools,
        )

    def run(self, *typed: str, by: str = "ann", place: Place = THREAD, seen: Iterable[Labelled] = ()) -> RunFacts:
        """A run that is under way."""
        run_id = self.ids.new()
        actor = account(by)
        person = self.team.person(actor)
        row = runs.Run(
            id=run_id,
            ref=f"R-{run_id[-6:]}",
            agent="ops",
            requester=person.id,
            requester_actor=actor.model_dump(mode="json"),
            place=place.model_dump(mode="json"),
            request=" ".join(typed),
            created_at=self.clock.now(),
            updated_at=self.clock.now(),
        )
        self.store.write_now(lambda session: runs.begin(session, row, {"text": " ".join(typed)}))
        return RunFacts(
            run_id=run_id,
            ref=row.ref,
            segment=1,
            agent="ops",
            requester=person,
            actor=actor,
            place=place,
            channel_name="#general" if place.kind == "channel" else "",
            typed=typed,
            seen=tuple(seen),
        )

    async def act(self, facts: RunFacts, tool: str, use: str = "", **arguments: Json) -> Outcome:
        use = use or f"u{next(self._uses)}"
        return await self.door.act(ToolCall(id=use, tool=tool, arguments=arguments), facts, 2)

    async def park(self, facts: RunFacts, tool: str, use: str, **arguments: Json) -> str:
        """Make a call that people are asked about, end the segment, and return the reference."""
        outcome = await self.act(facts, tool, use, **arguments)
        assert isinstance(outcome, Parked), outcome

        def wait(session: Any) -> None:
            row = session.get(runs.Run, facts.run_id)
            row.state = runs.WAITING
            session.add(row)

        self.store.write_now(wait)
        return outcome.refs[0]

    async def approved(self, facts: RunFacts, tool: str, by: str, **arguments: Json) -> tuple[str, ToolResult]:
        """A call that somebody is asked about and approves: the reference and the result."""
        use = f"u{next(self._uses)}"
        ref = await self.park(facts, tool, use, **arguments)
        await self.approvals.vote(ref, None, "approve", account(by))
        row = self.store.read_now(lambda session: session.get_one(runs.Run, facts.run_id))
        return ref, done(await self.act(facts.model_copy(update={"segment": row.segment}), tool, use, **arguments))


def known(tools: Catalogue) -> Known:
    """What the starter rules may name."""
    return Known(
        tools={
            tool.name: KnownTool(
                effect=tool.effect, arguments=tool.schema.arguments, authority=tool.authority, free_text=tool.free_text
            )
            for tool in tools
        },
        agents=frozenset({"lead", "finance", "ops", "research", "writer"}),
        roles=frozenset({"finance", "admin"}),
        channels=frozenset({"#general", "#finance", "#approvals"}),
        workflows=frozenset({"digest"}),
    )


def done(outcome: Outcome) -> ToolResult:
    """The result of a call that was made."""
    assert isinstance(outcome, Finished), outcome
    return outcome.result
