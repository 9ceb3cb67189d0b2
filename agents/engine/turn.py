"""What a model is asked in a turn: instructions, tools and messages of one segment as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.engine import context, handover
from agents.engine.instructions import system_prompt
from agents.engine.model import ModelRequest

if TYPE_CHECKING:
    from agents.engine.definition import AgentDefinition
    from agents.engine.segment import Segment
    from kernel.types import RunFacts, ToolSchema


def request(segment: Segment, agent: AgentDefinition, facts: RunFacts) -> tuple[ModelRequest, str]:
    """The request, and the digest of everything that its answer will stand upon."""
    team, roster = segment.charter.team, segment.charter.roster
    tools = _tools(segment, agent, facts)
    model = team.model if agent.model == "default" else agent.model
    system = system_prompt(agent, roster, team)
    reading = context.Reading(
        run=segment.run,
        earlier=segment.earlier,
        requester=facts.requester.name,
        channel=facts.channel_name,
        time_zone=facts.requester.time_zone or team.time_zone,
    )
    messages, prefix = context.messages(reading, segment.transcript.lines, model=model, system=system, tools=tools)
    asked = ModelRequest(model=model, system=system, messages=messages, tools=tuple(tools), max_tokens=agent.max_tokens)
    return asked, prefix


def _tools(segment: Segment, agent: AgentDefinition, facts: RunFacts) -> list[ToolSchema]:
    """What the agent's list and the rules both admit, in an order that does not change."""
    visible = segment.kit.door.visible(agent.name, facts)
    tools = sorted((s for s in visible if agent.may_ask_for(s.name)), key=lambda schema: schema.name)
    roster, thinks = segment.charter.roster, segment.kit.model.thinks
    if agent.name == roster.lead.name and roster.specialists and thinks and not segment.run.workflow:
        tools.append(handover.schema(roster))
    return tools
