"""The composition root: builds every part of Bosun and connects them. Construction and life cycle only."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from agents.engine.loop import Loop
from bot.engine import asking, bridges, dashboard, oauth_return
from bot.engine import charter as charters
from bot.engine.charter_keeper import CharterKeeper
from bot.engine.checkpoints import Checkpoints
from bot.engine.commands import Commands, discover
from bot.engine.connections import Connections
from bot.engine.deadlines import Deadlines
from bot.engine.desk import Desk
from bot.engine.directory import TeamDirectory
from bot.engine.feedback import Feedback
from bot.engine.freezer import Freezer
from bot.engine.held import Held
from bot.engine.home import Home
from bot.engine.home_presses import WorkflowButtons
from bot.engine.home_settings import HomeSettings
from bot.engine.home_tabs import HomeTabs
from bot.engine.hooks import hook_secrets
from bot.engine.knowing import Knowing, eyes_of, open_knowledge
from bot.engine.knowledge_answers import KnowledgeAnswers
from bot.engine.knowledge_overview import KnowledgeOverview
from bot.engine.linked import LinkedAccounts
from bot.engine.linking import Linking
from bot.engine.outside import Outside
from bot.engine.presses import Presses
from bot.engine.reception import Reception
from bot.engine.requests import Requests
from bot.engine.rule_changes import RuleChanges
from bot.engine.secrets import Secrets
from bot.engine.sender import Sender
from bot.engine.signs import Signs
from bot.engine.stops import Stops
from bot.engine.text_command import Office
from bot.engine.ticker import Ticker
from bot.engine.tool_list import ToolList
from bot.engine.uploads import Uploads
from bot.engine.workflow_parts import WorkflowParts
from bot.web import views
from bot.web.server import WebServer
from kernel import engine as durable
from kernel import lock
from kernel.checkpoints import signer
from kernel.clock import SystemClock, SystemIds
from kernel.store import Store, migrations, open_store
from knowledge.engine.vector_lines import ProcessLine
from rules.engine import replaying
from rules.engine.absences import Absences
from rules.engine.approvals import Approvals
from rules.engine.autonomy.autonomy import Autonomy
from rules.engine.door import Door
from rules.engine.grants import Granting
from rules.engine.metering import Metering
from rules.engine.meters import of_models
from rules.engine.model_budgets import ModelBudgets
from rules.engine.rulebook import RuleBook
from rules.engine.services import Services
from tools.engine import catalogue
from tools.engine.context import ToolContext
from tools.engine.mcp.sign_ins import PREFIX as REVIEWS
from tools.engine.mcp.sign_ins import SignIns
from tools.engine.polls import PREFIX as POLLS
from tools.engine.polls import Polls
from tools.engine.toolbox import Toolbox
from tools.engine.web.manners import Manners
from tools.engine.web.settings import WebSettings
from workflows.engine import buttons, forms, steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.routing import BaseRoute

    from agents.engine.model import Model
    from bot.discord.adapter import DiscordAdapter
    from bot.engine.adapter import Adapter, HomePages, VoteMarks
    from bot.engine.charter import Charter
    from bot.slack.adapter import SlackAdapter
    from kernel.clock import Clock, Ids
    from kernel.config import Settings
    from kernel.errors import CharterError
    from kernel.types import Place, RunFacts
    from knowledge.engine.vectors import Line

log = logging.getLogger(__name__)


class App:
    """One process of Bosun. `start` returns when it is ready; nothing is built at import."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        ids: Ids | None = None,
        beside: bool = False,
        vectors: Callable[..., Line] = ProcessLine,
    ) -> None:
        """`beside`: for a command that looks at what a running Bosun works on. It must not be started.

        `vectors`: where the vector engine runs.
        """
        self.settings = settings
        self.clock = clock or SystemClock()
        self.ids = ids or SystemIds()
        self.executor_id = self.ids.new()
        lock.make(settings.data)
        self.store = open_store(settings.database)
        self._lock = lock.hold(self.store.folder) if self.store.is_sqlite and not beside else None
        migrations.upgrade(self.store)
        self._read_charter()
        self._build_rights(vectors)
        self._build_agents()
        self._build_platforms()
        self._build_desk()

    # -- construction -----------------------------------------------------------------------------

    def _read_charter(self) -> None:
        self.tools = catalogue.discover()
        self.kinds = steps.discover()
        self.secrets = Secrets()
        self._manners = Manners()
        self.linked = LinkedAccounts(self.store, self.clock)
        self.directory = TeamDirectory(lambda: self.charter, self.clock, linked=self.linked)
        self.toolbox = Toolbox(self.tools)
        self.sign_ins = SignIns(self.store, self.clock, self.settings.data / "mcp", oauth_return.address(self.settings))
        self.reviews = self.toolbox.connect(
            store=self.store,
            clock=self.clock,
            ids=self.ids,
            directory=self.directory,
            secrets=self.secrets,
            where=self._operators,
            sign_ins=self.sign_ins,
        )
        self.keeper = CharterKeeper(
            self.settings.charter,
            bridges.known_tools(self.tools),
            self.kinds,
            bringing=bridges.bringing(self.toolbox),
        )
        self.rules = RuleBook()
        self._put_in_force(self.charter)
        self.store.write_now(lambda session: replaying.keep(session, self.rules.current, self.clock.now()))
        self.keeper.on_change += [self._put_in_force, self._keep_rules]
        self.keeper.on_problem.append(self._report_charter)

    @property
    def charter(self) -> Charter:
        """The charter in force."""
        return self.keeper.current

    def _put_in_force(self, charter: Charter) -> None:
        named = (*charter.tools.secrets(), *hook_secrets(charter.workflows), *charter.sources.secrets())
        self.secrets.take(named)
        self.toolbox.use(charter.tools, charter.folder)
        self.rules.load(charter.rules, charter.known)
        web = charter.tools.web
        self._http = WebSettings(
            timeout=web.timeout,
            max_bytes=web.max_bytes,
            max_redirects=web.max_redirects,
            robots=web.robots,
            pause=web.pause,
            manners=self._manners,
        )

    async def _keep_rules(self, _charter: Charter) -> None:
        rules = self.rules.current
        await self.store.write(lambda session: replaying.keep(session, rules, self.clock.now()))

    def _build_rights(self, vectors: Callable[..., Line]) -> None:
        self.model = open_model(self.settings)
        self.knowledge = open_knowledge(
            self.settings,
            self.store,
            self.charter,
            self.secrets,
            clock=self.clock,
            ids=self.ids,
            eyes=eyes_of(self.model, self.store, self.clock, self.directory),
            line=vectors,
        )
        self.knowing = Knowing(
            knowledge=self.knowledge,
            store=self.store,
            clock=self.clock,
            settings=self.settings,
            directory=self.directory,
            secrets=self.secrets,
            charter=lambda: self.charter,
            server=self.toolbox.resources,
        )
        self.absences = Absences(self.store, self.clock, self.ids, self.directory)
        self.autonomy = Autonomy(
            store=self.store,
            clock=self.clock,
            ids=self.ids,
            rules=self.rules,
            tools=self.tools,
            agent=lambda name: bridges.agent_digest(self.charter, name),
        )
        self.overview = KnowledgeOverview(self.knowledge, self.store, self.directory, self.knowing.readers)
        services = Services(
            store=self.store,
            clock=self.clock,
            ids=self.ids,
            directory=self.directory,
            rules=self.rules,
            tools=self.tools,
            sources=(Metering(), self.autonomy, Granting()),
            watchers=(self.autonomy,),
            absences=self.absences,
            fallback_channel=self.charter.team.approvals or self.charter.team.operators,
            operators=self.charter.team.operators,
            cards_per_hour=self.charter.team.decisions.cards_per_hour,
            digest_hour=self.charter.team.decisions.digest_hour,
        )
        self.rule_changes = RuleChanges(self.store, self.clock, self.keeper, self.rules)
        self.approvals = Approvals(services)
        self.autonomy.questions = self.approvals.questions
        self.model_budgets = ModelBudgets(
            services, self.approvals.requests, lambda: of_models(self.charter.team.budgets)
        )
        self.door = Door(
            services,
            self.approvals,
            self.tools,
            context=self._context,
            secrets=self.secrets,
            offered=bridges.Offers(lambda: self.charter, self.tools).to,
        )

    def _context(self, call_id: str, facts: RunFacts) -> ToolContext:
        return ToolContext(
            call_id=call_id,
            facts=facts,
            store=self.store,
            clock=self.clock,
            ids=self.ids,
            workspace=self.settings.data / "workspace",
            knowledge=self.knowledge,
            directory=self.directory,
            http=self._http,
            skills=self.charter.folder / "skills",
            setup=self.charter.tools,
            catalogue=self.tools,
            drafting=self.workflows.drafts,
            ruling=self.rule_changes,
        )

    def _build_agents(self) -> None:
        self.adapters: dict[str, Adapter] = {}
        self.workflows = WorkflowParts(
            store=self.store,
            clock=self.clock,
            ids=self.ids,
            keeper=self.keeper,
            kinds=self.kinds,
            directory=self.directory,
            door=self.door,
            approvals=self.approvals,
            workspace=self.settings.data / "workspace",
            operators=self._operators,
            has_model=self.model.thinks,
            adapters=self.adapters,
            console=self.settings.web_address,
            secret=self.secrets.get,
        )
        self.scheduler = self.workflows.scheduler
        self.loop = Loop(
            store=self.store,
            clock=self.clock,
            door=self.door,
            model=self.model,
            charter=lambda: bridges.agent_charter(self.charter, self.directory),
            budgets=self.model_budgets,
            timing=bridges.timing_of(self.adapters),
            closing=bridges.announce_state,
            workflows=self.workflows.runner,
            recall=self.knowledge,
        )
        self.engine = durable.Engine(self.store, self.settings.database, self.executor_id, self.clock, self.loop)

    def _build_platforms(self) -> None:
        self.linking = Linking(
            store=self.store,
            clock=self.clock,
            ids=self.ids,
            directory=self.directory,
            linked=self.linked,
            adapters=self.adapters,
        )
        own = HomeSettings(self.clock, self.directory, self.absences, self.linking, lambda: self.charter)
        self.home = Home(
            store=self.store,
            directory=self.directory,
            approvals=self.approvals,
            workflows=self.workflows.commands,
            charter=lambda: self.charter,
            rules=self.rules,
            tools=self.tools,
            freezes=self.door.freezes,
            settings=own,
            adapters=self.adapters,
            generates=self.model.thinks,
        )
        pages: dict[str, HomePages] = {}
        self.home_tabs = HomeTabs(self.store, self.clock, self.directory, self.home, pages)
        self.text_commands = discover()
        self.asking = asking.Asking(lambda: bridges.suggestions(self.charter))
        marks: dict[str, VoteMarks] = {}
        self.feedback = Feedback(self.store, self.clock, self.directory, marks)
        mounts: list[BaseRoute] = [self.workflows.hooks.route(), oauth_return.route(self.sign_ins)]
        outside = Outside(
            settings=self.settings,
            store=self.store,
            clock=self.clock,
            directory=self.directory,
            office=lambda: self.office,
            engaged=self._engaged,
            commands=self.text_commands,
            awaited=self.workflows.listeners.wants_reaction,
            suggestions=self.asking.suggestions,
        )
        if self.settings.uses_slack:
            slack = outside.slack()
            self._connect(slack)
            pages[slack.platform] = slack
            mounts += [slack.route()] if slack.settings.mode == "http" else []
        if self.settings.uses_discord:
            discord = outside.discord(self.charter.team.workspaces.get("discord", ""), self.executor_id)
            self._connect(discord)
            pages[discord.platform] = discord
        self.web = WebServer(
            store=self.store,
            clock=self.clock,
            ids=self.ids,
            directory=self.directory,
            settings=self._web_settings(),
            sources=self._web_sources(),
            mounts=mounts,
        )
        self.adapters[self.web.adapter.platform] = marks[self.web.adapter.platform] = self.web.adapter
        self.connections = Connections(self.adapters, self._reached)

    def _connect(self, adapter: SlackAdapter | DiscordAdapter) -> None:
        """The platform takes part: messages go through its adapter, and its groups can hold roles."""
        self.adapters[adapter.platform] = adapter
        self.directory.groups[adapter.platform] = adapter

    def _build_desk(self) -> None:
        self.signs = Signs(self.store, self.clock, self.adapters)
        self.stops = Stops(self.store, self.clock, self.directory, self.approvals)
        chooser = bridges.AgentChooser(lambda: self.charter, thinks=self.model.thinks)
        engaged_for = bridges.engagement(lambda: self.charter, self.directory)
        self.requests = Requests(self.clock, self.ids, self.directory, chooser, engaged_for)
        held = Held(self.store, self.clock, self.directory, self.requests)
        self.office = self._office()
        self.desk = Desk(
            store=self.store,
            clock=self.clock,
            ids=self.ids,
            directory=self.directory,
            adapters=self.adapters,
            requests=self.requests,
            commands=Commands(self.office, self.text_commands),
            presses=self._presses(held),
            signs=self.signs,
            held=held,
            uploads=Uploads(self.knowledge, self.adapters),
            listeners=self.workflows.listeners,
            home_tabs=self.home_tabs,
            asking=self.asking,
            requests_per_minute=lambda: self.charter.team.requests_per_minute,
        )
        self.reception = Reception(self.store, self.clock, self.ids, self.desk)
        self.sender = Sender(self.store, self.clock, self.executor_id, self.adapters)
        self.deadlines = Deadlines(self.approvals, self.clock)
        self.checkpoints = Checkpoints(
            store=self.store,
            clock=self.clock,
            ids=self.ids,
            signer=lambda: signer(self.settings.signing_key, self.settings.data / "checkpoint.key"),
            channel=lambda: self._channel(self.charter.team.checkpoints),
        )
        jobs = (self.autonomy.settle, self.door.freezes.refresh, self.linked.refresh, self.checkpoints.take_due)
        self.ticker = Ticker([*self.deadlines.jobs, *jobs])

    def _office(self) -> Office:
        return Office(
            store=self.store,
            clock=self.clock,
            directory=self.directory,
            charter=lambda: self.charter,
            rules=self.rules,
            decisions=self.approvals,
            permissions=self.approvals.grants,
            absences=self.absences,
            workflows=self.workflows.commands,
            stops=self.stops,
            forms=self.workflows.forms,
            freezer=Freezer(
                store=self.store,
                clock=self.clock,
                ids=self.ids,
                directory=self.directory,
                freezes=self.door.freezes,
                tools=self.tools,
            ),
            linking=self.linking,
            home=self.home,
            tools=ToolList(lambda: self.charter, self.tools, self.rules, self.toolbox.notes),
            knowledge=KnowledgeAnswers(self.knowledge, self.store, self.clock, self.directory),
            overview=self.overview,
        )

    def _presses(self, held: Held) -> Presses:
        return Presses(
            decider=self.approvals,
            stops=self.stops,
            held=held,
            adapters=self.adapters,
            take_up=self._take_up,
            home=self.home,
            settings=self.home.settings,
            feedback=self.feedback,
            directory=self.directory,
            others={
                asking.PREFIX: self.asking,
                forms.PREFIX: self.workflows.forms,
                buttons.PREFIX: self.workflows.buttons,
                REVIEWS: self.reviews,
                POLLS: Polls(self.store, self.clock, self.directory),
                dashboard.WORKFLOW: WorkflowButtons(self.workflows.commands, self.settings.web_address),
            },
        )

    # -- life cycle -------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take up what was left, then open the doors: events are taken last."""
        await self.door.freezes.refresh()
        await self.linked.refresh()
        self.loop.listen()
        self.desk.start()
        await self.desk.guard.remember(self.store, self.directory.person)
        self.signs.start()
        await self.home_tabs.start()
        await self.engine.start()
        await self.sender.start()
        await self.web.start()
        await self.connections.open(self.reception.receive)
        await self.reception.start()
        await self.desk.take_up_waiting()
        await self.scheduler.start()
        self.keeper.start()
        self.ticker.start()
        self.toolbox.start()
        self.deadlines.start()
        await self.knowledge.start()
        self.knowing.start()
        self._warming = asyncio.create_task(asyncio.to_thread(self.model.warm))

    async def stop(self) -> None:
        """Take no more events, finish what is in hand, close. What is not finished is taken up at the next start."""
        await self.connections.close()
        self.signs.stop()
        await self.home_tabs.stop()
        await self.knowing.stop()
        await self.ticker.stop()
        await self.deadlines.stop()
        await self.keeper.stop()
        await self.scheduler.stop()
        await self.reception.stop()
        await self.engine.stop()
        await self.toolbox.stop()
        await self.checkpoints.take_last()
        await self.sender.stop()
        await self.web.stop()
        await self.knowledge.stop()
        await self.model.close()
        self.store.close()
        if self._lock is not None:
            self._lock.release()

    # -- small things that need several parts ------------------------------------------------------

    def _reached(self, adapter: Adapter) -> None:
        """A platform is connected: what depends on it can be looked up from now on."""
        self.directory.tenants[adapter.platform] = adapter.tenant
        self.knowing.join(adapter)

    async def _take_up(self, conversation_id: str) -> None:
        await self.desk.take_next(conversation_id)

    async def _engaged(self, place: Place, text: str = "") -> bool:
        """Whether a message without a mention is for us: in a thread of ours, or where a workflow waits for it."""
        if text and self.workflows.listeners.wants(place, text):
            return True
        if place.thread is None:
            return False
        now = self.clock.now()
        return await self.store.read(lambda session: self.requests.engaged(session, place, now))

    def _operators(self) -> Place | None:
        return self._channel(self.charter.team.operators)

    def _channel(self, name: str | None) -> Place | None:
        return None if name is None else self.directory.home(name)

    async def _report_charter(self, error: CharterError) -> None:
        """Say in the operators' channel that a bad change was not taken."""
        log.warning("the charter was not reloaded:\n%s", error)
        place = self._operators()
        if place is not None:
            await self.store.write(bridges.charter_report(place, error, self.clock, self.ids))

    def _web_settings(self) -> views.Settings:
        team, address = self.charter.team, self.settings.web
        return views.Settings(
            folder=self.settings.data / "web",
            host=address.host,
            port=address.port,
            origins=self.settings.web_origins,
            workspace=team.name,
            demo=self.charter.demo,
            commands=bridges.command_hints(self.text_commands),
        )

    def _web_sources(self) -> views.Sources:
        return views.Sources(
            people=self.directory.everybody,
            channels=lambda: bridges.web_channels(self.charter, self.directory),
            agents=lambda: bridges.agent_hints(self.charter),
            prompts=lambda: bridges.web_prompts(self.charter, self.directory),
            home=self.home.of,
            document=bridges.DocumentPages(self.knowledge, self.directory).document,
            knowledge=self.overview.of,
            listens=self.workflows.listeners.wants,
            awaited=self.workflows.listeners.wants_reaction,
            signs=self.workflows.listeners.signs,
            workflow=self.workflows.pages.of,
            picture=self.workflows.pages.picture,
            votes=self.feedback.votes,
        )


def read_charter(settings: Settings) -> Charter:
    """The charter as `up` would read it, without starting anything. CharterError with everything that is wrong."""
    tools = catalogue.discover()
    bringing = bridges.bringing(Toolbox(tools))
    return charters.load(settings.charter, bridges.known_tools(tools), steps.discover(), bringing=bringing)


async def try_code(settings: Settings, charter: Charter) -> str:
    """Whether the Python of agents could be locked up here: why not, for people; or empty."""
    from tools.engine.code import running

    return await running.trial(settings.data / "code" / "trial", charter.tools.code)


def read_tools(settings: Settings, store: Store | None) -> ToolList:
    """The tools as `up` would offer them, without starting anything; those of MCP servers as `store` knows them."""
    charter, tools, rules = read_charter(settings), catalogue.discover(), RuleBook()
    rules.load(charter.rules, charter.known)
    toolbox, clock = Toolbox(tools), SystemClock()
    if store is not None:
        people = TeamDirectory(lambda: charter, clock)
        toolbox.connect(store=store, clock=clock, ids=SystemIds(), directory=people, secrets={}, where=lambda: None)
    toolbox.use(charter.tools, charter.folder)
    return ToolList(lambda: charter, tools, rules, toolbox.notes)


def open_model(settings: Settings) -> Model:
    """The language model that the environment configures; without one, a model that quotes and thinks nothing."""
    if settings.anthropic_api_key is None:
        from agents.engine.offline_model import OfflineModel

        return OfflineModel()
    from agents.engine.anthropic_model import AnthropicModel
    from agents.engine.as_written import AsWritten

    model = AnthropicModel(api_key=settings.anthropic_api_key.reveal(), base_url=settings.anthropic_base_url)
    return AsWritten(model)
