"""Which tools each agent may use, and under which rules: the list of `tools`, in the chat and on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errors import NotFound
from rules.engine.rights import rights_in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agents.engine.definition import AgentDefinition
    from bot.engine.charter import Charter
    from rules.engine.rulebook import RuleBook
    from tools.engine.catalogue import Catalogue

Line = tuple[str, str, str]  # tool, effect, rights


class ToolList:
    """Reads the charter, the rules and the tools as they are in force."""

    def __init__(
        self, charter: Callable[[], Charter], tools: Catalogue, rules: RuleBook, notes: Callable[[], list[str]]
    ) -> None:
        """`notes` says what else is to be known: tools that wait for a review, servers that cannot be asked."""
        self.charter = charter
        self.tools = tools
        self.rules = rules
        self.notes = notes

    def agents(self, name: str = "") -> list[AgentDefinition]:
        """The agent of that name, or all. NotFound names those that there are."""
        roster = self.charter().roster
        if not name:
            return list(roster.agents.values())
        found = roster.get(name)
        if found is None:
            raise NotFound(f"There is no agent '{name}'.", hint=f"Agents: {', '.join(sorted(roster.agents))}.")
        return [found]

    def of(self, agent: AgentDefinition) -> Iterator[Line]:
        """The agent's tools."""
        for name in self.tools.names():
            tool = self.tools.get(name)
            if tool is None or not agent.may_ask_for(name):
                continue
            if not self.tools.is_on(name):
                yield name, tool.effect, "is not set up in tools.yaml"
            else:
                yield name, tool.effect, rights_in_words(self.rules.current, agent.name, name, tool.effect)

    def markdown(self, name: str = "") -> str:
        """The list as Markdown, of one agent or of all."""
        parts = []
        for agent in self.agents(name):
            rows = [f"| `{tool}` | {effect} | {rights} |" for tool, effect, rights in self.of(agent)]
            table = ["| tool | effect | under which rule |", "|---|---|---|", *rows] if rows else ["No tools."]
            parts.append("\n".join([f"**{agent.name}**", "", *table]))
        notes = [f"- {note}" for note in self.notes()]
        return "\n\n".join([*parts, "\n".join(notes)]).strip()
