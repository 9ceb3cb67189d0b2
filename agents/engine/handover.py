"""How the lead hands a request on: a call that only the loop understands. It touches nothing outside the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.types import ToolSchema
from kernel.yaml_lines import did_you_mean

if TYPE_CHECKING:
    from agents.engine.definition import AgentDefinition, Roster
    from kernel.types import Json, ToolCall

ASK_AGENT = "ask_agent"
MOST = 3  # handovers in one run


def schema(roster: Roster) -> ToolSchema:
    """What the lead's model is told of it."""
    listed = "\n".join(f"- {agent.name}: {agent.description}" for agent in roster.specialists)
    return ToolSchema(
        name=ASK_AGENT,
        description=(
            "Hand this request on to the specialist who is best for it. The specialist sees the whole conversation "
            f"and answers in your place.\n{listed}"
        ),
        arguments={
            "type": "object",
            "properties": {
                "agent": {"type": "string", "enum": [agent.name for agent in roster.specialists]},
                "task": {"type": "string", "description": "What you want done, one or two sentences."},
            },
            "required": ["agent", "task"],
            "additionalProperties": False,
        },
    )


def target(call: ToolCall, roster: Roster, agent: AgentDefinition, *, done: int) -> AgentDefinition | str:
    """The specialist that the call names, or a sentence for the model that says why it cannot be."""
    if agent.name != roster.lead.name:
        return "Only the lead hands requests on. Answer it yourself."
    if done >= MOST:
        return f"This request was handed on {MOST} times already. Answer it yourself."
    name = str(call.arguments.get("agent", ""))
    found = roster.get(name)
    if found is None or found.name == agent.name:
        names = [specialist.name for specialist in roster.specialists]
        return f"There is no specialist '{name}'{did_you_mean(name, names)}. There are: {', '.join(names)}."
    return found


def note(call: ToolCall, source: AgentDefinition, to: AgentDefinition) -> dict[str, Json]:
    """The content of the transcript line that says so."""
    return {"handover": {"from": source.name, "to": to.name, "task": str(call.arguments.get("task", ""))[:1000]}}
