"""What one person sees of the whole: what waits for them, runs, is scheduled, was decided. Only what they may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.engine import home_view
from bot.engine.home_budgets import budgets, eyes_of
from bot.engine.home_presses import startable
from bot.engine.sight import may_see
from kernel.errors import NotFound
from kernel.store import activity, feedback, runs, schedules, workflows
from kernel.store import approvals as rows
from rules.engine import batch_cards
from rules.engine.cards import card
from rules.engine.freezing import in_words
from rules.engine.meters import in_force
from rules.engine.reach import reach
from workflows.engine import history
from workflows.engine.overview import became, next_in_words
from workflows.engine.wording import at_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.engine.adapter import Adapter
    from bot.engine.charter import Charter
    from bot.engine.directory import TeamDirectory
    from bot.engine.home_settings import HomeSettings
    from bot.engine.workflow_commands import WorkflowCommands
    from kernel.store import Session, Store
    from kernel.types import Actor, Card, Person, Place
    from rules.engine.approvals import Approvals
    from rules.engine.freezing import Freezes
    from rules.engine.rulebook import RuleBook
    from tools.engine.catalogue import Catalogue
    from workflows.engine.definition import Workflow

WAITING, RUNNING, SCHEDULED, AGENTS, BUDGETS, RECENT = 10, 10, 10, 10, 5, 5  # rows of each part
BUSY = 3  # runs of an agent that are named
LOOKED_AT = 200  # rows that are looked at to find those
GENERATED = "What agents say is AI-generated."
LATELY = 30  # days in which what people said of answers is counted
ADMIN = "admin"


@dataclass(frozen=True, kw_only=True)
class Home:
    """Builds the dashboard of a person, the one source of every platform's."""

    store: Store
    directory: TeamDirectory
    approvals: Approvals
    workflows: WorkflowCommands
    charter: Callable[[], Charter]  # the charter in force
    rules: RuleBook
    tools: Catalogue
    freezes: Freezes
    settings: HomeSettings
    adapters: Mapping[str, Adapter]  # for links
    generates: bool  # a language model answers

    async def of(self, person: Person, actor: Actor | None = None) -> home_view.HomeView:
        """The dashboard of this person, as things stand. `actor`: the account that looks, where one does."""
        mine = [one.ref for one in await self.approvals.waiting_for(person, actor, limit=WAITING + 1)]
        eyes = await eyes_of(self.directory, person, actor)
        admin = ADMIN in eyes.roles
        readable, left_out = await self._schedules(person, actor)
        view = await self.store.read(lambda session: self._look(session, person, mine, admin=admin))
        now = self.workflows.launch.clock.now()
        meters = in_force(self.rules.current.rules, self.charter().team.budgets)
        used = await self.store.read(lambda session: budgets(session, meters, now, eyes, BUDGETS))
        settings = await self.settings.of(person)
        return view.model_copy(
            update={
                "schedules": readable,
                "agents": await self._agents(person),
                "budgets": used,
                "settings": settings,
                "more": view.more | ({"schedules": f"{left_out} more; `schedules` lists all."} if left_out else {}),
                "footer": GENERATED if self.generates and self.charter().team.footer != "off" else "",
            }
        )

    async def review(self, ref: str, person: Person, actor: Actor) -> Card:
        """The whole card of an approval, or of several, that waits for this person. NotFound where none does."""
        waiting = await self.approvals.waiting_for(person, actor)
        if ref not in {one.ref for one in waiting} | {one.batch for one in waiting if one.batch}:
            raise NotFound(f"{ref} does not wait for you any more. `why {ref}` says what became of it.")

        def look(session: Session) -> Card:
            items = rows.of_batch(session, ref)
            if items:
                return batch_cards.shown(items)
            row = rows.by_ref(session, ref)
            assert row is not None  # noqa: S101  it has just been listed, and approvals are never deleted
            return card(row)

        return await self.store.read(look)

    # -- parts ------------------------------------------------------------------------------------

    def _look(self, session: Session, person: Person, mine: list[str], *, admin: bool) -> home_view.HomeView:
        mine_now = [row for ref in mine[:WAITING] if (row := rows.by_ref(session, ref)) is not None]
        active = runs.listing(session, (runs.QUEUED, runs.WAITING), limit=LOOKED_AT)
        running = [run for run in active if may_see(self.directory, person, run)]
        asking = frozenset(form.run_id for form in workflows.open_forms(session))
        decided = []
        for row in rows.decided(session, limit=LOOKED_AT):
            run = session.get(runs.Run, row.run_id)
            if run is not None and may_see(self.directory, person, run):
                decided.append(_decision(row, self.link(run.where)))
            if len(decided) == RECENT:
                break
        more = {"waiting": "More waits for you; `approvals` lists all of it."} if len(mine) > WAITING else {}
        if len(running) > RUNNING:
            more["running"] = f"{len(running) - RUNNING} more; `runs` lists what began last."
        return home_view.HomeView(
            more=more,
            waiting=tuple(home_view.Waiting(card=card(row), link=self._seen(session, row, person)) for row in mine_now),
            running=tuple(
                self._running(session, run, _state(session, run, asking), person, admin=admin)
                for run in running[:RUNNING]
            ),
            recent=tuple(decided),
        )

    def _seen(self, session: Session, row: rows.ApprovalState, person: Person) -> str:
        """The link to the thread where it was asked, for who may read there."""
        run = session.get(runs.Run, row.run_id)
        return self.link(run.where) if run is not None and may_see(self.directory, person, run) else ""

    def _running(
        self, session: Session, run: runs.Run, state: str, person: Person, *, admin: bool
    ) -> home_view.Running:
        requester = self.directory.by_id(run.requester)
        return home_view.Running(
            ref=run.ref,
            title=" ".join(run.request.split())[:120],
            agent=run.agent or run.workflow or "",
            requester=requester.name if requester else run.requester,
            state=state,
            started_at=run.created_at,
            link=self.link(run.where),
            stoppable=admin or self.directory.principal(history.begun_by(session, run)) == person.id,
        )

    def link(self, place: Place) -> str:
        """What opens the thread; empty where nothing does."""
        adapter = self.adapters.get(place.platform)
        return adapter.permalink(place, place.thread) if adapter is not None and place.thread else ""

    async def _schedules(self, person: Person, actor: Actor | None) -> tuple[tuple[home_view.Scheduled, ...], int]:
        """The workflows of channels that this person reads, by their names, and how many more there are."""
        readable = [one for _, one in sorted(self.workflows.launch.workflows().items()) if self._reads(person, one)]
        known = readable[:SCHEDULED]
        controlled = {one.name for one in known if await self.workflows.control.may_decide(one, person, actor)}
        now = self.workflows.launch.clock.now()

        def look(session: Session) -> tuple[home_view.Scheduled, ...]:
            paused, found = workflows.paused(session, now), []
            for one in known:
                last = next(iter(schedules.firings(session, one.name, 1)), None)
                found.append(
                    home_view.Scheduled(
                        name=one.name,
                        description=one.description,
                        next=next_in_words(one, now, paused),
                        last=became(session, last) if last is not None else "never",
                        paused=one.name in paused,
                        controlled=one.name in controlled,
                        startable=startable(one, person),
                    )
                )
            return tuple(found)

        return await self.store.read(look), len(readable) - len(known)

    def _reads(self, person: Person, workflow: Workflow) -> bool:
        readers = self.directory.readers(workflow.channel)
        return readers is None or person.id in readers

    async def _agents(self, person: Person) -> tuple[home_view.AgentRights, ...]:
        rules, made = self.rules.current, []
        since, principal = self.workflows.launch.clock.now() - timedelta(days=LATELY), self.directory.principal
        (busy, last), helped = await self.store.read(
            lambda session: (self._work_of_agents(session, person), feedback.helped(session, since, principal))
        )
        for agent in list(self.charter().roster.agents.values())[:AGENTS]:
            found: dict[str, list[str]] = {}
            for tool in sorted(self.tools, key=lambda each: each.name):
                if agent.may_ask_for(tool.name) and self.tools.is_on(tool.name):
                    found.setdefault(reach(rules, agent.name, tool.name, tool.effect), []).append(tool.name)
            freeze = await self.freezes.covering(agent=agent.name, channel="")
            made.append(
                home_view.AgentRights(
                    name=agent.shown,
                    description=agent.description,
                    alone=tuple(found.get("alone", ())),
                    limited=tuple(found.get("limited", ())),
                    asks=tuple(found.get("asks", ())),
                    never=tuple(found.get("never", ())),
                    frozen=in_words(freeze.scope) if freeze is not None else "",
                    busy=", ".join(busy.get(agent.name, ())[:BUSY]),
                    last=last.get(agent.name, ""),
                    helped=_helped(*helped[agent.name]) if agent.name in helped else "",
                )
            )
        return tuple(made)

    def _work_of_agents(self, session: Session, person: Person) -> tuple[dict[str, list[str]], dict[str, str]]:
        """In which runs each agent is at work, and what it did last; of those that the person may see."""
        busy: dict[str, list[str]] = {}
        last: dict[str, str] = {}
        zone = person.time_zone or self.charter().team.time_zone
        for run in runs.listing(session, limit=LOOKED_AT):
            if not run.agent or not may_see(self.directory, person, run):
                continue
            if run.state in runs.FINAL:
                last.setdefault(run.agent, f"{run.ref} {run.state}, {at_in(run.updated_at, zone)}")
            else:
                busy.setdefault(run.agent, []).append(run.ref)
        return busy, last


def _helped(good: int, asked: int) -> str:
    return f"{good} of {asked} {'opinion' if asked == 1 else 'opinions'} in {LATELY} days"


def _decision(row: rows.ApprovalState, link: str) -> home_view.Decision:
    outcome = row.outcome or {}
    words = {
        rows.APPROVED: "Approved",
        rows.CONSUMED: "Approved",
        rows.REJECTED: "Rejected",
        rows.EXPIRED: "Nobody decided in time",
        rows.WITHDRAWN: "Withdrawn",
    }
    tones = {rows.REJECTED: "bad", rows.EXPIRED: "warn", rows.WITHDRAWN: "neutral"}
    by = f" by {outcome['by']}" if outcome.get("by") else ""
    reason = f": {outcome['reason']}" if outcome.get("reason") else ""
    return home_view.Decision(
        title=str(row.preview.get("headline", row.tool)),
        outcome=f"{words.get(row.state, row.state)}{by}{reason}",
        tone=tones.get(row.state, "good"),
        at=row.decided_at or row.created_at,
        link=link,
    )


def _state(session: Session, run: runs.Run, asking: frozenset[str]) -> str:
    """What holds a run up: people, the clock, or nothing. `asking`: runs whose forms wait for an answer."""
    if run.state != runs.WAITING:
        return "running"
    if run.workflow is None or activity.undecided_of(session, run.id) or run.id in asking:
        return "waiting"
    agents = runs.children(session, run.id)
    return "running" if any(child.state == runs.QUEUED for child in agents) else "timed"
