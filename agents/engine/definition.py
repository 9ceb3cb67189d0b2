"""Agents as the charter defines them: `agents/NAME.md`, front matter and instructions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import Field

from kernel.errors import CharterError
from kernel.types import Frozen
from kernel.yaml_lines import did_you_mean, load, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

LEAD = "lead"  # the agent that answers where nobody else is addressed, and hands on to the others
FENCE = "---"
_NAME = re.compile(r"^[a-z][a-z0-9-]{0,30}$")


class FrontMatter(Frozen):
    """What stands between the two `---` lines of an agent file."""

    name: str = Field(pattern=_NAME.pattern)  # as people address it: "finance: ..."
    description: str = Field(min_length=1, max_length=300)  # what it is good at: the lead chooses by it
    title: str = ""  # as it is shown; the name with a capital where it is left out
    model: str = "default"  # the service's name of a model, or "default": the one of bosun.yaml
    tools: tuple[str, ...] = ()  # names; a pattern may end in "*"
    knowledge: tuple[str, ...] = ()  # collections that it draws on; none named: all that the readers may see
    channels: tuple[str, ...] = ()  # "#finance": here it answers without being addressed
    max_tokens: int = Field(default=8192, ge=256, le=128_000)  # of one answer


class AgentDefinition(FrontMatter):
    """An agent: who it is, what it may ask for, how it is to work."""

    instructions: str
    path: str  # of its file, as it is shown in errors

    @property
    def shown(self) -> str:
        """Its name for people."""
        return self.title or self.name.replace("-", " ").capitalize()

    def may_ask_for(self, tool: str) -> bool:
        """Whether the tool stands in its list. What then happens to a call, the rules decide."""
        return any(tool == name or (name.endswith("*") and tool.startswith(name[:-1])) for name in self.tools)


class Roster:
    """All agents of a charter. There is always a lead."""

    def __init__(self, agents: Iterable[AgentDefinition]) -> None:
        self.agents: Mapping[str, AgentDefinition] = {agent.name: agent for agent in agents}

    @property
    def lead(self) -> AgentDefinition:
        """The agent that answers where nobody else is addressed."""
        return self.agents[LEAD]

    @property
    def specialists(self) -> list[AgentDefinition]:
        """Everybody but the lead, by name."""
        return [agent for name, agent in sorted(self.agents.items()) if name != LEAD]

    def get(self, name: str) -> AgentDefinition | None:
        """The agent that people mean by `name`: its name or its title, any case."""
        wanted = name.strip().casefold()
        for agent in self.agents.values():
            if wanted in (agent.name, agent.shown.casefold()):
                return agent
        return None


def parse_agent(path: str, text: str) -> AgentDefinition:
    """One agent file. CharterError names every fault with file and line."""
    lines = text.splitlines()
    if not lines or lines[0].strip() != FENCE:
        raise CharterError([f"{path}:1: an agent file begins with front matter between two lines of ---"])
    end = next((number for number, line in enumerate(lines[1:], 1) if line.strip() == FENCE), None)
    if end is None:
        raise CharterError([f"{path}:1: the front matter has no second line of ---"])
    front = parse(load(path, "\n".join(lines[1:end]), first_line=2), FrontMatter)
    instructions = "\n".join(lines[end + 1 :]).strip()
    if not instructions:
        raise CharterError([f"{path}:{end + 1}: the instructions are missing: say what the agent does and how"])
    return AgentDefinition(**front.model_dump(), instructions=instructions, path=path)


def load_agents(folder: Path, *, tools: Iterable[str] = (), channels: Iterable[str] = ()) -> Roster:
    """The agents of `folder`. CharterError lists the faults of all files, unknown tools and channels included.

    `tools` and `channels` are the names that exist; where one is empty its names are not checked.
    """
    agents: dict[str, AgentDefinition] = {}
    problems: list[str] = []
    for file in sorted(folder.glob("*.md")):
        shown = f"{folder.name}/{file.name}"
        try:
            agent = parse_agent(shown, file.read_text("utf-8"))
        except CharterError as error:
            problems += error.problems
            continue
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{shown}:1: cannot be read: {error}")
            continue
        if agent.name in agents:
            problems.append(f"{shown}:2: there is an agent '{agent.name}' already, in {agents[agent.name].path}")
        agents[agent.name] = agent
        problems += _unknown(agent, file.read_text("utf-8"), "tools", tools)
        problems += _unknown(agent, file.read_text("utf-8"), "channels", channels)
    problems += _bound_twice(agents.values())
    if LEAD not in agents and not problems:
        problems.append(
            f"{folder.name}/{LEAD}.md:1: the agent '{LEAD}' is missing: it answers where nobody is addressed"
        )
    if problems:
        raise CharterError(problems)
    return Roster(agents.values())


def _unknown(agent: AgentDefinition, text: str, field: str, known: Iterable[str]) -> list[str]:
    names = set(known)
    if not names:
        return []
    problems = []
    for word in getattr(agent, field):
        if word.endswith("*") or word in names:
            continue
        line = next((n for n, row in enumerate(text.splitlines(), 1) if word in row), 1)
        problems.append(f"{agent.path}:{line}: unknown {field[:-1]} '{word}'{did_you_mean(word, names)}")
    return problems


def _bound_twice(agents: Iterable[AgentDefinition]) -> list[str]:
    owner: dict[str, AgentDefinition] = {}
    problems = []
    for agent in agents:
        for channel in agent.channels:
            first = owner.setdefault(channel, agent)
            if first is not agent:
                problems.append(f"{agent.path}:1: the channel '{channel}' is bound to {first.path} already")
    return problems
