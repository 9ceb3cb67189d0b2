"""draft_workflow: write a workflow down, have it checked, and see what it would do. Puts nothing in force."""

from __future__ import annotations

from pydantic import Field

from kernel.types import Labelled, ToolResult
from tools.engine import Arguments, ToolContext, tool
from tools.engine.drafting import drafting_of
from tools.engine.preview import one_line

LARGEST = 20_000  # characters of a file


class DraftWorkflow(Arguments):
    """The file."""

    file: str = Field(
        min_length=20,
        max_length=LARGEST,
        description=(
            "The workflow as YAML. Example:\n"
            "name: sales-daily\n"
            "description: What happened in #sales the day before\n"
            "channel: '#sales'            # where the result goes\n"
            "trigger: {cron: '0 9 * * mon-fri'}   # or every: 2h, message: {channel: '#x', contains: ['word']}, "
            "after: {workflow: NAME}; a list of them is possible\n"
            "steps:\n"
            "  - {id: said, messages: {channel: '#sales', since: yesterday, if_empty: end}}\n"
            "  - {id: sum, ask: {agent: lead, reads: [said], prompt: 'Sum it up in five lines, cite as [3].'}}\n"
            "  - digest: {title: 'What happened in #sales', channels: [{messages: said, summary: sum}], "
            "sections: [channels]}\n"
            "Steps: messages {channel, since: yesterday|today|last_run|24h}, collect {} (what was asked and decided), "
            "ask {agent, prompt, reads: [ids], result: JSON schema}, call {tool, agent, with}, "
            "form {question, who, fields}, approve {headline, who, need}, "
            "branch {if: {value, is|not|at_least|contains|empty}, then, else}, "
            "each {in, as, do}, wait {for|until|at}, start {workflow}, post {text}, "
            "digest {intro, channels, sections}. "
            "Texts name values as {steps.ID.text}, {steps.ID.data.x}, {trigger.text}, {run.date}."
        ),
    )


@tool(effect="read", free_text=("file",), timeout=30)
async def draft_workflow(args: DraftWorkflow, ctx: ToolContext) -> ToolResult:
    """Draft something that is to happen by itself, at times or when something happens, as a workflow.

    It is checked and simulated, and nothing is in force. Then `activate_workflow` asks the role that decides.
    """
    draft = await drafting_of(ctx).draft(args.file, ctx.facts)
    head = f"Draft {draft.ref}. Nothing is in force; activate_workflow asks the role that decides."
    return ToolResult(
        content=f"{head}\n\n{draft.words}\n\nSimulation:\n\n{draft.simulation}",
        pieces=(
            Labelled(text=head, origin="nowhere"),
            Labelled(text=draft.ref, origin="member_text", field="draft", record=1, names=True),
            Labelled(text=f"{draft.words}\n\n{draft.simulation}", origin="member_text"),
        ),
        data={"draft": draft.ref, "workflow": draft.name},
        summary=one_line(f"Drafted the workflow {draft.name}"),
    )
