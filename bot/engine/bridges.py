"""Small adapters between rooms that do not know each other: each one fits what one room offers to what another asks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from agents.engine import dispatch
from agents.engine.ports import Charter as AgentCharter
from agents.engine.ports import Team, Timing
from bot.engine import asking
from bot.engine.charter import Brought
from bot.engine.knowledge_overview import personal_audience
from bot.engine.requests import Choice
from bot.engine.suggestions import Suggestion
from bot.web import views
from kernel.canonical import digest
from kernel.store import outbox, runs, wake
from kernel.types import Text
from rules.engine.known import KnownTool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from bot.engine.adapter import Adapter
    from bot.engine.charter import Charter
    from bot.engine.directory import TeamDirectory
    from bot.engine.text_command import TextCommand
    from kernel.clock import Clock, Ids
    from kernel.errors import CharterError
    from kernel.store import Session
    from kernel.store.run_steps import RunState
    from kernel.types import Person, Place
    from knowledge.engine.knowledge import Knowledge
    from tools.engine.catalogue import Catalogue
    from tools.engine.setup.file import ToolsFile
    from tools.engine.toolbox import Toolbox


class AgentChooser:
    """`requests.Chooser` by the agents' own dispatch."""

    def __init__(self, charter: Callable[[], Charter], *, thinks: bool) -> None:
        self.charter = charter
        self.thinks = thinks

    def choose(self, text: str, channel: str, current: str | None) -> Choice:
        """Who answers, under the charter in force."""
        roster = self.charter().roster
        chosen = dispatch.choose(roster, text, channel=channel, thread_agent=current, thinks=self.thinks)
        return Choice(agent=chosen.agent, text=chosen.text)


def engagement(charter: Callable[[], Charter], directory: TeamDirectory) -> Callable[[Place], timedelta]:
    """How long a thread stays Bosun's without a mention, as the charter in force has it for the channel."""

    def engaged_for(place: Place) -> timedelta:
        team = charter().team
        channel = team.channels.get(directory.channel_name(place))
        return timedelta(0) if channel is not None and channel.mention_only else timedelta(days=team.follow_up_days)

    return engaged_for


def announce_state(session: Session, run: RunState) -> None:
    """`ports.Closing`: say that the run waits or has ended, once that is committed."""
    wake(session, runs.STATE, f"{run.id}:{run.state}")


def agent_charter(charter: Charter, directory: TeamDirectory) -> AgentCharter:
    """The charter as agents see it."""
    team = Team(
        name=charter.team.name,
        time_zone=charter.team.time_zone,
        model=charter.team.model.default,
        footer=charter.team.footer,
        feedback=charter.team.feedback == "every",
    )
    return AgentCharter(team=team, roster=charter.roster, directory=directory)


def agent_digest(charter: Charter, name: str) -> str:
    """The identity of what an agent is told and which model it uses; empty where there is no such agent."""
    agent = charter.roster.agents.get(name)
    if agent is None:
        return ""
    return digest({**agent.model_dump(mode="json", exclude={"path"}), "default": charter.team.model.default})


def timing_of(adapters: Mapping[str, Adapter]) -> Callable[[Place], Timing]:
    """How each platform likes its progress."""

    def timing(place: Place) -> Timing:
        adapter = adapters.get(place.platform)
        if adapter is None:
            return Timing()
        capabilities = adapter.capabilities
        return Timing(edit_interval=capabilities.edit_interval, time_to_progress=capabilities.time_to_progress)

    return timing


class Offers:
    """Which tools the charter gives an agent; worked out once for each charter."""

    def __init__(self, charter: Callable[[], Charter], tools: Catalogue) -> None:
        self.charter = charter
        self.tools = tools
        self._worked_out_for = ("", 0)  # digest of the charter, version of the catalogue
        self._offered: dict[str, frozenset[str] | None] = {}

    def to(self, agent: str) -> frozenset[str] | None:
        """The names of the agent's tools; None, which is all, for an agent that the charter does not know."""
        charter = self.charter()
        if (charter.digest, self.tools.version) != self._worked_out_for:
            self._worked_out_for, self._offered = (charter.digest, self.tools.version), {}
        if agent not in self._offered:
            known = charter.roster.agents.get(agent)
            on = [name for name in self.tools.names() if self.tools.is_on(name)]
            names = () if known is None else (name for name in on if known.may_ask_for(name))
            self._offered[agent] = None if known is None else frozenset(names)
        return self._offered[agent]


def known_tools(tools: Catalogue) -> dict[str, KnownTool]:
    """What the charter's checks have to know of the tools."""
    return {
        tool.name: KnownTool(
            effect=tool.effect,
            arguments=tool.schema.arguments,
            authority=tool.authority,
            free_text=tool.free_text,
            always_asked=tool.always_asked,
        )
        for tool in tools
    }


def bringing(toolbox: Toolbox) -> Callable[[ToolsFile, Path], Brought]:
    """What the charter's checks have to know of the tools that a tools.yaml brings."""

    def bring(file: ToolsFile, folder: Path) -> Brought:
        found = toolbox.declared(file, folder)
        tools = {
            one.name: KnownTool(
                effect=one.effect,
                arguments=one.arguments,
                authority=one.authority,
                free_text=one.free_text,
                is_open=one.is_open,
            )
            for one in found.tools
        }
        return Brought(tools=tools, problems=found.problems)

    return bring


class DocumentPages:
    """The pages that sources open, for people who may read them."""

    def __init__(self, knowledge: Knowledge, directory: TeamDirectory) -> None:
        self.knowledge = knowledge
        self.directory = directory

    async def document(self, document_id: str, person: Person) -> views.DocumentView | None:
        """The document; None if there is none that this person may read."""
        found = await self.knowledge.document(document_id, await personal_audience(self.directory, person))
        if found is None:
            return None
        sections = tuple(views.Section(anchor=f"c{chunk.number}", markdown=chunk.text) for chunk in found.chunks)
        return views.DocumentView(
            title=found.title, sections=sections, origin=f"{found.source} {found.key}", updated_at=found.updated_at
        )


def web_channels(charter: Charter, directory: TeamDirectory) -> list[views.Channel]:
    """The charter's channels as the web chat shows them."""
    shown = []
    for name, channel in charter.channels.items():
        place = directory.channel(name, "web", "local")
        if place is not None:
            shown.append(
                views.Channel(
                    id=place.channel,
                    name=name,
                    purpose=channel.purpose,
                    members=directory.readers(name),
                    external=channel.external,
                )
            )
    return shown


def web_prompts(charter: Charter, directory: TeamDirectory) -> list[views.Prompt]:
    """What the charter offers to say; with the web chat's own id of the channel where one is named."""
    found = []
    for prompt in charter.team.prompts:
        place = directory.channel(prompt.channel, "web", "local") if prompt.channel else None
        channel = place.channel if place is not None else None
        found.append(views.Prompt(title=prompt.title, message=prompt.message, channel=channel))
    return found


def suggestions(charter: Charter) -> list[Suggestion]:
    """The team's own prompts, those for a certain channel left out."""
    return [Suggestion(title=one.title, message=one.message) for one in charter.team.prompts if one.channel is None]


def agent_hints(charter: Charter) -> list[views.AgentHint]:
    """The agents as the @-picker offers them."""
    return [views.AgentHint(name=agent.name, description=agent.description) for agent in charter.roster.agents.values()]


def command_hints(commands: Iterable[TextCommand]) -> tuple[views.CommandHint, ...]:
    """The commands as the composer offers them after `/`."""
    ask = views.CommandHint(name=asking.COMMAND, usage="QUESTION", description=asking.DOES.capitalize())
    return (
        ask,
        *(
            views.CommandHint(name=command.begins, usage=command.usage, description=command.does.capitalize())
            for command in commands
            if command.does
        ),
    )


def charter_report(place: Place, error: CharterError, clock: Clock, ids: Ids) -> Callable[[Session], object]:
    """Tells the operators which mistakes keep a changed charter from taking effect."""
    shown = error.problems[:20]
    more = f"\n… and {len(error.problems) - 20} more." if len(error.problems) > 20 else ""
    lines = "\n".join(f"- `{problem}`" for problem in shown)
    body = Text(
        markdown=f"**The charter was changed, and I did not take the change.** The old one is in force.\n{lines}{more}"
    )
    row_id = ids.new()
    return lambda session: outbox.put(session, row_id, place, body, clock.now())
