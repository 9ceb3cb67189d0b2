"""A whole installation in a folder: store, rules, people, tools, door. Built the same way in every process."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from sqlmodel import col, select

from kernel.clock import FixedClock, Ids, SystemIds
from kernel.store import approvals as rows
from kernel.store import calls, outbox, runs
from kernel.store import ledger as ledger_rows
from kernel.types import Json, Labelled, Place, RunFacts, ToolCall
from rules.engine.absences import Absences
from rules.engine.approvals import Approvals
from rules.engine.autonomy.autonomy import Autonomy
from rules.engine.door import Door
from rules.engine.grants import Granting
from rules.engine.known import Known, KnownTool
from rules.engine.outcome import Finished, Outcome, Parked
from rules.engine.rulebook import RuleBook
from rules.engine.services import Services
from tests.rules.people import Team, account
from tests.rules.things import catalogue
from tools.engine.context import ToolContext
from tools.engine.web.settings import WebSettings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from kernel.store import Store
    from rules.engine.wording import Reply

THREAD = Place(platform="web", tenant="local", channel="general", thread="m1")

RULES = """
version: 1
rules:
  - id: pay-small
    why: Small payments to accounts that the requester typed go through.
    tool: pay
    args: {account: {from: typed}, amount: {at_most: 100}}
    decision: allow
  - id: pay-two
    why: Money needs two people from finance, never who asked.
    tool: pay
    otherwise: ask
    approval: {who: finance, need: 2, where: "#finance", expires: 4h, edit: true}
  - id: pay-never
    why: Nobody pays the embargoed.
    tool: pay
    args: {account: {is: EMBARGO}}
    decision: deny
  - id: mail-outside
    why: The address stands only in text from outside.
    tool: mail
    args: {to: {only_from: outside_text}}
    decision: ask
    approval: {who: requester, confirm: type_target, edit: true}
  - id: mail-ask
    why: Mail is asked for.
    tool: mail
    otherwise: ask
    approval: {who: [requester, finance], edit: true}
  - id: deploy-staging
    why: Staging is for everybody.
    tool: deploy
    args: {environment: {is: staging}}
    decision: allow
  - id: peek
    why: Pages are open.
    tool: peek
    decision: allow
"""


@cache
def known() -> Known:
    tools = {
        tool.name: KnownTool(
            effect=tool.effect, arguments=tool.schema.arguments, authority=tool.authority, free_text=tool.free_text
        )
        for tool in catalogue()
    }
    return Known(
        tools=tools,
        agents=frozenset({"ops", "sales"}),
        roles=frozenset({"finance", "legal", "admin", "interns"}),
        channels=frozenset({"#general", "#finance", "#approvals"}),
        workflows=frozenset({"digest"}),
    )


@dataclass
class World:
    """Everything that a test touches."""

    store: Store
    folder: Path
    clock: FixedClock = field(default_factory=FixedClock)
    team: Team = field(default_factory=Team)
    ids: Ids = field(default_factory=SystemIds)

    def __post_init__(self) -> None:
        self.book = RuleBook()
        self.rules(RULES)
        self.agents = {"ops": "instructions"}  # what each is told
        self.autonomy = Autonomy(
            store=self.store,
            clock=self.clock,
            ids=self.ids,
            rules=self.book,
            tools=catalogue(),
            agent=lambda name: self.agents.get(name, ""),
        )
        self.services = Services(
            store=self.store,
            clock=self.clock,
            ids=self.ids,
            directory=self.team,
            rules=self.book,
            tools=catalogue(),
            sources=(self.autonomy, Granting()),
            watchers=(self.autonomy,),
            absences=Absences(self.store, self.clock, self.ids, self.team),
            fallback_channel="#approvals",
            operators="#bosun",
        )
        self.approvals = Approvals(self.services)
        self.autonomy.questions = self.approvals.questions
        self.door = Door(
            self.services, self.approvals, catalogue(), context=self.context, secrets={"KEY": "k-secret", "NO": "n"}
        )

    def rules(self, text: str) -> None:
        self.book.load({"rules/test.yaml": text}, known())

    def context(self, call_id: str, facts: RunFacts) -> ToolContext:
        return ToolContext(
            call_id=call_id,
            facts=facts,
            store=self.store,
            clock=self.clock,
            ids=self.ids,
            workspace=self.folder,
            knowledge=cast("Any", None),
            directory=self.team,
            http=WebSettings(),
        )

    def run(
        self, *typed: str, by: str = "ann", place: Place = THREAD, seen: Iterable[Labelled] = (), **more: Any
    ) -> RunFacts:
        """A run of `by` that is under way."""
        run_id = self.ids.new()
        actor = account(by)
        person = self.team.person(actor)
        row = runs.Run(
            id=run_id,
            ref=f"R-{run_id[-4:]}",
            agent="ops",
            requester=person.id,
            requester_actor=actor.model_dump(mode="json"),
            place=place.model_dump(mode="json"),
            request=" ".join(typed),
            created_at=self.clock.now(),
            updated_at=self.clock.now(),
        )
        request = {"text": " ".join(typed)}
        self.store.write_now(lambda session: runs.begin(session, row, request))
        facts = RunFacts(
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
        return facts.model_copy(update=more)

    async def act(self, facts: RunFacts, tool: str, use: str = "u1", **arguments: Json) -> Outcome:
        return await self.door.act(ToolCall(id=use, tool=tool, arguments=arguments), facts, 2)

    async def park(self, facts: RunFacts, tool: str, use: str = "u1", **arguments: Json) -> str:
        """Make a call that people are asked about, end the segment, and return the reference."""
        outcome = await self.act(facts, tool, use, **arguments)
        assert isinstance(outcome, Parked), outcome
        self.wait(facts)
        return outcome.refs[0]

    def wait(self, facts: RunFacts) -> None:
        """End the segment as the loop does."""

        def write(session: Any) -> None:
            row = session.get(runs.Run, facts.run_id)
            row.state = runs.WAITING
            session.add(row)

        self.store.write_now(write)

    async def go_on(self, facts: RunFacts, tool: str, use: str = "u1", **arguments: Json) -> Outcome:
        """The next segment hands in the same call."""
        return await self.act(self.now(facts), tool, use, **arguments)

    def now(self, facts: RunFacts) -> RunFacts:
        row = self.store.read_now(lambda session: session.get(runs.Run, facts.run_id))
        assert row is not None
        return facts.model_copy(update={"segment": row.segment})

    async def vote(self, who: str, ref: str, verb: str = "approve", **more: Any) -> Reply:
        return await self.approvals.vote(ref, more.pop("revision", None), verb, account(who), **more)

    def approval(self, ref: str) -> rows.ApprovalState:
        row = self.store.read_now(lambda session: rows.by_ref(session, ref))
        assert row is not None
        return row

    def call(self, facts: RunFacts, use: str = "u1") -> calls.CallState:
        row = self.store.read_now(lambda session: calls.get(session, facts.run_id, use))
        assert row is not None
        return row

    def run_row(self, facts: RunFacts) -> runs.Run:
        row = self.store.read_now(lambda session: session.get(runs.Run, facts.run_id))
        assert row is not None
        return row

    def cards(self, ref: str) -> list[outbox.OutboxRow]:
        return self.store.read_now(lambda session: outbox.copies(session, ref))

    def outbox(self) -> list[outbox.OutboxRow]:
        """Everything that was to be shown, in order."""

        def look(session: Any) -> list[outbox.OutboxRow]:
            return list(
                session.exec(
                    select(outbox.OutboxRow).order_by(col(outbox.OutboxRow.created_at), col(outbox.OutboxRow.id))
                )
            )

        return self.store.read_now(look)

    def ledger(self) -> list[str]:
        return self.store.read_now(lambda session: [row.kind for row in ledger_rows.entries(session)])

    def entries(self, kind: str) -> list[dict[str, Json]]:
        """What the ledger says under this kind."""
        rows = self.store.read_now(lambda session: list(ledger_rows.entries(session)))
        return [row.body for row in rows if row.kind == kind]

    @property
    def happened(self) -> list[str]:
        path = self.folder / "world.txt"
        return path.read_text().splitlines() if path.exists() else []


def result(outcome: Outcome) -> str:
    assert isinstance(outcome, Finished), outcome
    return outcome.result.content


def failure(outcome: Outcome) -> str:
    assert isinstance(outcome, Finished), outcome
    assert outcome.result.error
    return outcome.result.content


HOUR = timedelta(hours=1)
