"""A team, a store and a runner for the tests of workflows; segments are run by hand, as the engine would."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import select

from bot.engine.workflow_rights import WorkflowRights
from kernel.clock import CountedIds, FixedClock
from kernel.store import Session, Store, approvals, outbox, run_steps, runs, schedules
from kernel.store.outbox import OutboxRow
from kernel.types import Actor, Json, Person, Place
from rules.engine.meters import in_force
from rules.engine.policy import Group, Policy
from tests.rules.world import World as Rights
from workflows.engine import reading, steps
from workflows.engine.channels import Said, Team
from workflows.engine.definition import Workflow
from workflows.engine.launch import Launch
from workflows.engine.runner import Runner
from workflows.engine.scheduler import Scheduler
from workflows.engine.situation import Situation

GENERAL = Place(platform="web", tenant="local", channel="general")
FINANCE = Place(platform="web", tenant="local", channel="finance")
PLACES = {"#general": GENERAL, "#finance": FINANCE}
KINDS = steps.discover()
CALENDARS = {"holidays": ("2026-12-24..2026-12-26", "2027-01-01")}


def workflow(text: str) -> Workflow:
    """A workflow from the text of its file, in Zurich."""
    loaded, _ = reading.load("workflows/test.yaml", text, KINDS, "Europe/Zurich", CALENDARS)
    return loaded.workflow


def starter() -> Workflow:
    """The digest that ships."""
    return workflow((Path(__file__).parents[2] / "charter/workflows/digest.yaml").read_text())


class Chat:
    """What was said in the channels. Whoever reads #finance reads #general, and not the other way round."""

    def __init__(self) -> None:
        self.messages: dict[str, list[Said]] = {}  # by the name of the channel
        self.answers: set[str] = set()  # messages below which somebody said something

    def say(self, channel: str, by: str, text: str, when: datetime, **more: bool) -> None:
        """Somebody says something."""
        here = self.messages.setdefault(channel, [])
        number = f"m{len(here) + 1}"
        here.append(Said(message=number, by=by, text=text, at=when, url=f"/c/{channel[1:]}#{number}", **more))

    async def said(self, place: Place, since: datetime, until: datetime, most: int) -> list[Said]:
        return [one for one in self.messages.get(f"#{place.channel}", []) if since <= one.at < until][-most:]

    async def answered(self, place: Place, message: str) -> bool:
        return message in self.answers

    def team(self) -> Team:
        return Team(roles=("finance", "admin"), agents={"lead": ("search_knowledge",)}, inactive=("Zoe",))

    def source(self, name: str, target: Place) -> Place | None:
        place = PLACES.get(name)
        return None if name == "#finance" and target.lane != FINANCE.lane else place

    def reads(self, person: Person, place: Place) -> bool:
        return place.channel == "general" or person.id in {"bo", "cy"}

    def direct(self, person: Person, near: Place) -> Actor | None:
        return None if person.id == "lea" else Actor(platform="web", tenant="local", user=person.id, name=person.name)

    def link(self, place: Place, message: str) -> str:
        return f"/c/{place.channel}/t/{message}"

    def dashboard(self, place: Place) -> str:
        return "/home"


class World:
    """One process with these workflows."""

    def __init__(
        self,
        store: Store,
        clock: FixedClock,
        *workflows: Workflow,
        ids: CountedIds | None = None,
        rights: Rights | None = None,
    ) -> None:
        self.store = store
        self.clock = clock
        self.ids = ids or CountedIds()
        self.workflows = {one.name: one for one in workflows}
        self.has_model = False
        self.channels = Chat()
        self.rights = rights or Rights(store, Path(), clock=clock, ids=self.ids)
        self.launch = Launch(
            store=store,
            clock=clock,
            ids=self.ids,
            workflows=lambda: self.workflows,
            home=lambda name, _platform: PLACES.get(name),
            charter=lambda: "digest-of-the-charter",
        )
        self.scheduler = Scheduler(self.launch)

    @property
    def situation(self) -> Situation:
        return Situation(
            store=self.store,
            clock=self.clock,
            ids=self.ids,
            kinds=KINDS,
            directory=lambda: self.rights.team,
            rights=WorkflowRights(
                self.rights.door,
                self.rights.approvals,
                lambda: in_force(self.rights.book.current.rules, ()),
            ),
            begin=self.launch,
            has_model=self.has_model,
            channels=self.channels,
        )

    @property
    def runner(self) -> Runner:
        return Runner(self.situation, ended=self.launch.ended, operators=lambda: FINANCE)

    async def work(self) -> None:
        """Run every segment of a workflow that is ready, until none is."""
        while mine := await self.ready():
            for run_id, segment in mine:
                await self.runner.segment(run_id, segment)

    async def wake(self) -> None:
        """Look at the alarms that are due, and do what there is to do."""
        await self.runner.wake_due()
        await self.work()

    async def firings(self, name: str) -> list[schedules.Firing]:
        """What became of the firings of a workflow, newest first."""
        return await self.store.read(lambda session: schedules.firings(session, name))

    async def ready(self) -> list[tuple[str, int]]:
        """The segments of workflows that the engine would start."""
        now = self.clock.now()
        found = await self.store.read(lambda session: runs.ready(session, now, now))
        return [(run_id, segment) for run_id, segment in found if run_steps.is_workflow(await self.run(run_id))]

    async def run_now(self, name: str, report_to: Place | None = None, **inputs: Json) -> runs.Run:
        """Start a workflow by hand and do what can be done."""
        begun = await self.store.write(
            lambda session: self.launch.run_now(session, name, report_to=report_to, inputs=inputs)
        )
        await self.work()
        return await self.run(begun.id)

    async def run(self, run_id: str) -> runs.Run:
        return await self.store.read(lambda session: session.get_one(runs.Run, run_id))

    async def end(self, run: runs.Run, state: str, **values: str) -> None:
        """An agent's run ends, as the loop ends it."""

        def work(session: Session) -> None:
            row = session.get_one(runs.Run, run.id)
            row.state = state
            for name, value in values.items():
                setattr(row, name, value)
            session.add(row)
            session.flush()
            if row.parent_id is not None:
                runs.next_segment(session, row.parent_id, self.clock.now())

        await self.store.write(work)

    async def children(self, run_id: str) -> list[runs.Run]:
        return await self.store.read(lambda session: runs.children(session, run_id))

    async def posts(self, place: Place = GENERAL) -> list[str]:
        """What the channel would show, in order."""
        rows = [row for row in await self.shown(place) if row.kind == outbox.MESSAGE]
        return [row.body["markdown"] for row in rows if row.body["type"] == "text"]

    async def shown(self, place: Place = GENERAL) -> list[OutboxRow]:
        """What would be sent to the channel, in order."""
        rows = await self.store.read(lambda session: list(session.exec(select(OutboxRow).order_by("id"))))
        return [row for row in rows if row.where.lane == place.lane]

    async def all_runs(self) -> list[runs.Run]:
        return await self.store.read(lambda session: runs.listing(session, limit=1000))

    async def happened(self, request: str, *, place: Place = GENERAL, state: str = runs.DONE) -> runs.Run:
        """A run of Ann's in a thread of the channel."""
        return await self.store.write(lambda session: self._add_run(session, request, place, state))

    def _add_run(self, session: Session, request: str, place: Place, state: str) -> runs.Run:
        now = self.clock.now()
        thread = place.in_thread(self.ids.new())
        conversation = runs.Conversation(
            id=self.ids.new(),
            platform=thread.platform,
            tenant=thread.tenant,
            channel=thread.channel,
            thread=thread.thread or "",
            place=thread.model_dump(mode="json"),
            active_at=now,
            created_at=now,
        )
        run = runs.Run(
            id=self.ids.new(),
            ref=runs.free_ref(session, self.ids),
            conversation_id=conversation.id,
            agent="lead",
            requester="ann",
            place=thread.model_dump(mode="json"),
            request=request,
            state=state,
            created_at=now,
            updated_at=now,
        )
        session.add(conversation)
        session.flush()
        session.add(run)
        session.flush()
        return run

    async def asked_for(self, run: runs.Run, headline: str, state: str, **outcome: str) -> None:
        """An approval of the run."""
        now = self.clock.now()
        row = approvals.Approval(
            id=self.ids.new(),
            ref=f"AP-{self.ids.short()}",
            call_id=self.ids.new(),
            run_id=run.id,
            agent="lead",
            tool="queue_payment",
            requester="ann",
            arguments={},
            digest="",
            origins={},
            preview={"headline": headline, "place": run.place},
            policy=Policy(groups=(Group(who=("finance",)),)).model_dump(mode="json"),
            rules=[],
            reason="",
            state=state,
            outcome=outcome or None,
            created_at=now,
            expires_at=now + timedelta(hours=4),
            decided_at=None if state == approvals.PENDING else now,
        )
        await self.store.write(lambda session: session.add(row))


def at(text: str) -> datetime:
    """A time in UTC from "2026-03-02 08:00"."""
    return datetime.fromisoformat(f"{text}+00:00")
